/** Asking that a call be kept from deletion: whoever decides on that answers; until then it is kept. */
import { useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";

export function AskHold({ call }: { call: string }) {
  const found = useResource((signal) => api.get("/api/calls/{call_id}/hold", { path: { call_id: call }, signal }), [call], [`call:${call}`]);
  const [asking, ask] = useState(false);
  const now = found.data;
  if (!now) return null;
  const waits = now.asked_at !== null && now.granted === null;
  return (
    <div class="row ask-hold">
      {!now.held && !waits && <button type="button" class="button" onClick={() => ask(true)}><Icon name="lock" size={18} />{t("hold.ask")}</button>}
      <span role="status">
        {now.held ? <State tone="good">{t("hold.held")}</State>
          : waits ? <State tone="busy">{t("hold.waits", { at: moment(now.asked_at ?? "") })}</State>
            : now.granted === false && <State tone="warn">{t("hold.refused", { why: now.answer })}</State>}
      </span>
      {asking && <Asking call={call} close={() => ask(false)} done={() => { ask(false); found.reload(); }} />}
    </div>
  );
}

function Asking({ call, close, done }: { call: string; close: () => void; done: () => void }) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    api.post("/api/calls/{call_id}/hold-requests", { path: { call_id: call }, body: { reason } })
      .then(done).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("hold.ask")} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        <p>{t("hold.ask.words")}</p>
        <Field label={t("holds.why")} value={reason} change={setReason} hint={t("hold.ask.hint")} spellcheck autofocus />
        <div class="row"><button type="submit" class="button primary">{t("hold.ask.send")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}
