/** What stands on a locked screen: whose it is, that a call goes on, and the way back in. */
import { useState } from "preact/hooks";
import { Problem } from "../api/client";
import { lookup, t } from "../locale";
import { leg, shift } from "../phone/shift";
import { addresses } from "../router";
import { me, signOut } from "../session";
import { Clock } from "../parts/Clock";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Mark, Preferences } from "../parts/Shell";
import { State } from "../parts/State";
import { unlock, warning } from "./lock";

export function LockScreen() {
  const person = me.value;
  const [refused] = useState(() => new URLSearchParams(location.search).get("sign-in"));
  if (!person) return null;
  return (
    <main class="locked" id="main">
      <div class="card locked-card">
        <Mark />
        <div class="locked-head">
          <span class="gate-mark"><Icon name="lock" size={28} /></span>
          <div>
            <h1 tabIndex={-1}>{t("lock.title")}</h1>
            <p class="lead">{t("lock.whose", { name: person.display_name })}</p>
          </div>
        </div>
        {leg.value && (
          <div class="locked-call" role="status">
            <State tone="rec">{t("lock.call")} {shift.value?.in_hand?.started_at && <Clock since={shift.value.in_hand.started_at} />}</State>
            <p class="hint">{t("lock.call.words")}</p>
          </div>
        )}
        {refused && <Notice tone="bad" title={lookup(`signin.refused.${refused}`, t("signin.refused.fault"))}><p>{lookup(`signin.refused.${refused}.hint`, t("signin.refused.fault.hint"))}</p></Notice>}
        {person.external ? (
          <>
            <p>{t("lock.provider.words")}</p>
            <a class="button primary" target="_blank" href={`/api/sign-in/begin?unlock=true&back=${encodeURIComponent(addresses.unlocked)}`}><Icon name="key" />{t("lock.provider")}</a>
          </>
        ) : <ByPassword name={person.name} />}
        <div class="locked-foot">
          <Preferences />
          <button type="button" class="link" onClick={() => void signOut()}>{t("lock.out")}</button>
        </div>
      </div>
    </main>
  );
}

function ByPassword({ name }: { name: string }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    setProblem(undefined);
    unlock(password, code?.replace(/\s/g, "") || null).catch((fault: unknown) => {
      const told = fault instanceof Problem ? fault : new Problem(0, "fault", String(fault), "");
      if (told.code === "code_required") {
        setCode("");
        return;
      }
      setProblem(told);
      if (told.code === "wrong_code") setCode("");
      else setPassword("");
    });
  };
  return (
    <form onSubmit={submit}>
      {problem && <Fault problem={problem} />}
      <input type="text" name="username" autocomplete="username" value={name} readOnly hidden />
      <Field label={t("signin.password")} value={password} change={setPassword} type="password" autocomplete="current-password" autofocus />
      {code !== null && <Field label={t("signin.code")} value={code} change={setCode} hint={t("signin.code.hint")} autocomplete="one-time-code" autofocus />}
      <button type="submit" class="button primary">{t("lock.open")}</button>
    </form>
  );
}

/** Said a minute before. The words are read out once; the seconds that run are for the eye. */
export function LockWarning() {
  if (warning.value === null) return null;
  return (
    <div class="lock-warning" role="alert">
      <Icon name="lock" />
      <div><p class="notice-title">{t("lock.soon")}</p><p>{t("lock.soon.do")}</p></div>
      <span class="lock-seconds" aria-hidden="true">{warning.value}</span>
    </div>
  );
}
