/** The door: by the organisation's account, by a local one, or by either. */
import { useEffect, useState } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { lookup, t } from "../locale";
import { addresses, go, path } from "../router";
import { ByPassword } from "../account/ByPassword";
import { whyNone } from "../account/passkeys";
import { expired, may, signIn, signInByPasskey } from "../session";
import { Icon } from "../parts/Icon";
import { Notice } from "../parts/Notice";
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
    api.get("/api/sign-in").then(setWays).catch(() => setWays({ provider: null, password: true, passkeys_at: null, no_passkeys: null }));
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
        {ways?.password && (
          <ByPassword main={!ways.provider} go={t("signin.go")} byPasskey={t("signin.passkey")} tried={() => setRefused(null)}
            enter={(name, password, code) => signIn(name, password, code).then(entered)}
            passkey={whyNone(ways) ? null : () => signInByPasskey().then(entered)} />
        )}
        <Preferences />
      </main>
    </div>
  );
}

// Whose work is to answer begins where calls come in.
function entered(): void {
  if (path.value === addresses.calls && may("call.take") && !may("call.open")) go(addresses.desk, { replace: true });
}
