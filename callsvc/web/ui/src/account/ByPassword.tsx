/** A password, the authenticator's code where one is asked for, or a passkey instead: at the door and on a locked screen. */
import { useState } from "preact/hooks";
import { Problem } from "../api/client";
import { t } from "../locale";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";

type Props = {
  /** Whose screen it is, where that is known. */
  name?: string;
  go: string;
  byPasskey: string;
  /** The first thing on the page that one does. */
  main?: boolean;
  enter: (name: string, password: string, code: string | null) => Promise<unknown>;
  /** Missing where there are no passkeys. */
  passkey?: (() => Promise<unknown>) | null;
  tried?: () => void;
};

export function ByPassword({ name: known, go, byPasskey, main = true, enter, passkey, tried }: Props) {
  const [typed, setTyped] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const attempt = (act: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    tried?.();
    act()
      .catch((fault: unknown) => {
        const told = Problem.of(fault);
        if (told.code === "code_required") {
          setCode("");
          return;
        }
        setProblem(told);
        // What was right need not be typed again.
        if (told.code === "wrong_code") setCode("");
        else if (told.code !== "passkey") setPassword("");
      })
      .finally(() => setBusy(false));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    attempt(() => enter(known ?? typed.trim().toLowerCase(), password, code?.replace(/\s/g, "") || null));
  };

  return (
    <>
      {problem && <Fault problem={problem} />}
      <form onSubmit={submit}>
        {known === undefined
          ? <Field label={t("signin.name")} value={typed} change={setTyped} autocomplete="username" autofocus={main} />
          : <input type="text" name="username" autocomplete="username" value={known} readOnly hidden />}
        <Field label={t("signin.password")} value={password} change={setPassword} type="password" autocomplete="current-password" autofocus={known !== undefined} />
        {code !== null && <Field label={t("signin.code")} value={code} change={setCode} hint={t("signin.code.hint")} autocomplete="one-time-code" autofocus />}
        <button type="submit" class={main ? "button primary" : "button"} aria-disabled={busy}>{busy ? t("signin.busy") : go}</button>
        {passkey && <button type="button" class="button" aria-disabled={busy} onClick={() => attempt(passkey)}><Icon name="key" size={18} />{byPasskey}</button>}
      </form>
    </>
  );
}
