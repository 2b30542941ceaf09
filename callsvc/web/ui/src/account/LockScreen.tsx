/** What stands on a locked screen: whose it is, that a call goes on, and the way back in. */
import { useEffect, useState } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { lookup, t } from "../locale";
import { leg, shift } from "../phone/shift";
import { addresses } from "../router";
import { me, signOut } from "../session";
import { Clock } from "../parts/Clock";
import { Icon } from "../parts/Icon";
import { Notice } from "../parts/Notice";
import { Mark, Preferences } from "../parts/Shell";
import { State } from "../parts/State";
import { ByPassword } from "./ByPassword";
import { unlock, unlockByPasskey, warning } from "./lock";
import { whyNone } from "./passkeys";

export function LockScreen() {
  const person = me.value;
  const [refused] = useState(() => new URLSearchParams(location.search).get("sign-in"));
  const [ways, setWays] = useState<Shape<"WaysIn">>();
  useEffect(() => {
    api.get("/api/sign-in").then(setWays).catch(() => undefined);
  }, []);
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
        ) : (
          <ByPassword name={person.name} go={t("lock.open")} byPasskey={t("lock.passkey")}
            enter={(_, password, code) => unlock(password, code)}
            passkey={person.passkey && ways && !whyNone(ways) ? unlockByPasskey : null} />
        )}
        <div class="locked-foot">
          <Preferences />
          <button type="button" class="link" onClick={() => void signOut()}>{t("lock.out")}</button>
        </div>
      </div>
    </main>
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
