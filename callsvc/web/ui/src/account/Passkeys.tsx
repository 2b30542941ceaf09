/** One's own passkeys: which there are, a new one, and one that is no longer used. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { ask } from "../session";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { make, whyNone } from "./passkeys";

type Passkey = Shape<"PasskeyOut">;

export function Passkeys() {
  const ways = useResource((signal) => api.get("/api/sign-in", { signal }), []);
  const found = useResource((signal) => api.get("/api/me/passkeys", { signal }), []);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Passkey>();
  if (!ways.data || !found.data) return null;
  const none = whyNone(ways.data);
  const settled = () => {
    setAdding(false);
    setRemoving(undefined);
    found.reload();
    void ask();
  };
  return (
    <section class="card narrow second-factor" aria-labelledby="passkeys">
      <h2 id="passkeys">{t("passkeys.title")}</h2>
      <p class="hint">{t("passkeys.lead")}</p>
      {found.data.passkeys.length > 0 && (
        <ul class="sessions">
          {found.data.passkeys.map((one) => (
            <li key={one.id}>
              <div>
                <p>{one.label}</p>
                <p class="aside">{t("passkeys.made", { at: moment(one.made_at) })} {one.used_at ? t("passkeys.used", { at: moment(one.used_at) }) : t("passkeys.unused")}</p>
              </div>
              <button type="button" class="button small" onClick={() => setRemoving(one)} aria-label={t("passkeys.remove.which", { name: one.label })}>{t("passkeys.remove")}</button>
            </li>
          ))}
        </ul>
      )}
      {none
        ? <p>{none}</p>
        : <div class="row"><button type="button" class="button" onClick={() => setAdding(true)}><Icon name="plus" />{t("passkeys.add")}</button></div>}
      {adding && (
        <Proven title={t("passkeys.add")} go={t("passkeys.make")} close={() => setAdding(false)} named
          act={(password, label) => make(label, password).then(settled)} />
      )}
      {removing && (
        <Proven title={t("passkeys.remove.title", { name: removing.label })} go={t("passkeys.remove")} lead={t("passkeys.remove.lead")} danger close={() => setRemoving(undefined)}
          act={(password) => api.post("/api/me/passkeys/{passkey_id}/removal", { path: { passkey_id: removing.id }, body: { password } }).then(settled)} />
      )}
    </section>
  );
}

type ProvenProps = {
  title: string; go: string; lead?: string; named?: boolean; danger?: boolean;
  close: () => void; act: (password: string, label: string) => Promise<void>;
};

/** A dialog that asks for the password once more. */
function Proven({ title, go, lead, named = false, danger = false, close, act }: ProvenProps) {
  const [label, setLabel] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    act(password, label.trim())
      .catch((fault: unknown) => setProblem(Problem.of(fault)))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        {lead && <p>{lead}</p>}
        {named && <Field label={t("passkeys.name")} value={label} change={setLabel} hint={t("passkeys.name.hint")} autofocus />}
        <Field label={t("password.current")} value={password} change={setPassword} type="password" autocomplete="current-password" autofocus={!named} />
        <div class="row">
          <button type="submit" class={danger ? "button danger" : "button primary"} aria-disabled={busy}>{go}</button>
          <button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}
