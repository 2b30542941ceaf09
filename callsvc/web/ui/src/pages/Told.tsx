/** For an operator: what was said of one's own calls, and one's own word about it. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { profileName } from "../call/words";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { callAddress } from "../router";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";
import { Answers } from "../review/Card";

export function Told() {
  const found = useResource((signal) => api.get("/api/own-reviews", { signal }), [], ["calls", "shift"]);
  const calls = found.data?.calls;
  return (
    <Page title={t("review.told.title")} lead={t("review.told.lead")}>
      {found.problem && !calls && <Fault problem={found.problem} retry={found.reload} />}
      {calls && (calls.length === 0 ? <p class="empty">{t("review.told.none")}</p> : calls.map((one) => <One key={one.call_id} one={one} reload={found.reload} />))}
    </Page>
  );
}

function One({ one, reload }: { one: Shape<"ToldBrief">; reload: () => void }) {
  const [open, setOpen] = useState(false);
  const what = t("call.titled", { line: profileName(one.profile), at: moment(one.done_at) });
  return (
    <details class="card told-one" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><span class="call-line">{what}</span> {one.replied ? <State tone="good">{t("review.told.replied")}</State> : <State tone="busy">{t("review.told.new")}</State>}</summary>
      {open && <Whole call={one.call_id} reload={reload} />}
    </details>
  );
}

function Whole({ call, reload }: { call: string; reload: () => void }) {
  const found = useResource((signal) => api.get("/api/calls/{call_id}/assessment", { path: { call_id: call }, signal }), [call]);
  const told = found.data?.assessment;
  const [words, setWords] = useState<string>();
  const [saved, setSaved] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  if (!told) return found.problem ? <Fault problem={found.problem} retry={found.reload} /> : null;
  const send = (event: Event) => {
    event.preventDefault();
    api.put("/api/calls/{call_id}/assessment/reply", { path: { call_id: call }, body: { words: words ?? told.reply } })
      .then(() => { setSaved(true); reload(); })
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <div class="told-whole">
      <Answers mine={told} other={null} seek={null} />
      {told.comment && <blockquote>{told.comment}</blockquote>}
      <form onSubmit={send}>
        <div class="field">
          <label for={`reply-${call}`}>{t("review.told.reply")}</label>
          <textarea id={`reply-${call}`} rows={3} maxLength={4000} value={words ?? told.reply} onInput={(event) => { setWords(event.currentTarget.value); setSaved(false); }} />
          <p class="hint">{t("review.told.reply.hint")}</p>
        </div>
        {problem && <Fault problem={problem} />}
        {saved && <Notice tone="good" title={t("review.told.saved")} />}
        <div class="row"><button type="submit" class="button primary">{t("review.told.send")}</button><a class="button" href={callAddress(call)}>{t("review.told.call")}</a></div>
      </form>
    </div>
  );
}
