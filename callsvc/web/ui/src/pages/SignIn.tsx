/** The door. */
import { useState } from "preact/hooks";
import { Problem } from "../api/client";
import { t } from "../locale";
import { addresses, go, path } from "../router";
import { expired, may, signIn } from "../session";
import { Field } from "../parts/Field";
import { Fault, Notice } from "../parts/Notice";
import { QuietLine } from "../parts/QuietLine";
import { Mark, Preferences } from "../parts/Shell";

export function SignIn() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  document.title = `${t("signin.title")} · callsvc`;

  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
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
    <div class="door">
      <div class="door-picture" aria-hidden="true">
        <QuietLine />
      </div>
      <main class="door-form" id="main">
        <Mark />
        <h1>{t("signin.title")}</h1>
        <p class="lead">{t("signin.lead")}</p>
        {expired.value && !problem && <Notice tone="warn" title={t("signin.expired")}><p>{t("signin.expired.hint")}</p></Notice>}
        {problem && <Fault problem={problem} />}
        <form onSubmit={submit}>
          <Field label={t("signin.name")} value={name} change={setName} autocomplete="username" autofocus />
          <Field label={t("signin.password")} value={password} change={setPassword} type="password" autocomplete="current-password" />
          {code !== null && <Field label={t("signin.code")} value={code} change={setCode} hint={t("signin.code.hint")} autocomplete="one-time-code" autofocus />}
          <button type="submit" class="button primary" aria-disabled={busy}>{busy ? t("signin.busy") : t("signin.go")}</button>
        </form>
        <Preferences />
      </main>
    </div>
  );
}
