/** The door: by the organisation's account, by a local one, or by either. */
import { useEffect, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { lookup, t } from "../locale";
import { addresses, go, path } from "../router";
import { expired, may, signIn } from "../session";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { QuietLine } from "../parts/QuietLine";
import { Mark, Preferences } from "../parts/Shell";

/** Why the way to the provider and back went wrong, told once; the address is then the page's own again. */
function told(): string | null {
  const found = new URLSearchParams(location.search).get("sign-in");
  if (found) history.replaceState(null, "", location.pathname + location.hash);
  return found;
}

export function SignIn() {
  const [ways, setWays] = useState<Shape<"WaysIn">>();
  const [refused, setRefused] = useState<string | null>(told);
  useEffect(() => {
    api.get("/api/sign-in").then(setWays).catch(() => setWays({ provider: null, password: true }));
  }, []);
  document.title = `${t("signin.title")} · callsvc`;
  return (
    <div class="door">
      <div class="door-picture" aria-hidden="true">
        <QuietLine />
      </div>
      <main class="door-form" id="main">
        <Mark />
        <h1>{t("signin.title")}</h1>
        <p class="lead">{ways && !ways.password ? t("signin.lead.provider") : t("signin.lead")}</p>
        {expired.value && !refused && <Notice tone="warn" title={t("signin.expired")}><p>{t("signin.expired.hint")}</p></Notice>}
        {refused && (
          <Notice tone="bad" title={lookup(`signin.refused.${refused}`, t("signin.refused.fault"))}>
            <p>{lookup(`signin.refused.${refused}.hint`, t("signin.refused.fault.hint"))}</p>
          </Notice>
        )}
        {ways?.provider && (
          <a class="button primary by-provider" target="_self" href={`/api/sign-in/begin?back=${encodeURIComponent(path.value + location.hash)}`}>
            <Icon name="key" size={20} />{t("signin.by", { name: ways.provider })}
          </a>
        )}
        {ways?.provider && ways.password && <p class="or-else"><span>{t("signin.or")}</span></p>}
        {ways?.password && <ByPassword main={!ways.provider} tried={() => setRefused(null)} />}
        <Preferences />
      </main>
    </div>
  );
}

function ByPassword({ main, tried }: { main: boolean; tried: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    tried();
    signIn(name.trim().toLowerCase(), password, code?.replace(/\s/g, "") || null)
      // Whose work is to answer begins where calls come in.
      .then(() => path.value === addresses.calls && may("call.take") && !may("call.open") && go(addresses.desk, { replace: true }))
      .catch((fault: unknown) => {
        const told = fault instanceof Problem ? fault : new Problem(0, "fault", String(fault), "");
        if (told.code === "code_required") {
          setCode("");
          return;
        }
        setProblem(told);
        if (told.code === "wrong_code") setCode("");
        else setPassword("");
      })
      .finally(() => setBusy(false));
  };

  return (
    <>
      {problem && <Fault problem={problem} />}
      <form onSubmit={submit}>
        <Field label={t("signin.name")} value={name} change={setName} autocomplete="username" autofocus={main} />
        <Field label={t("signin.password")} value={password} change={setPassword} type="password" autocomplete="current-password" />
        {code !== null && <Field label={t("signin.code")} value={code} change={setCode} hint={t("signin.code.hint")} autocomplete="one-time-code" autofocus />}
        <button type="submit" class={main ? "button primary" : "button"} aria-disabled={busy}>{busy ? t("signin.busy") : t("signin.go")}</button>
      </form>
    </>
  );
}
