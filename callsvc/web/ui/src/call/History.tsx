/** What became of an utterance: what the machine heard, who corrected it, when, and the way back. */
import { useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { clock, momentWithSeconds } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { may } from "../session";
import { focusOn } from "../parts/arrive";
import { Dialog } from "../parts/Dialog";
import { Fault } from "../parts/Notice";
import type { Utterance } from "./Said";

type Props = { call: string; utterance: Utterance; close: () => void; changed: () => void };

export function History({ call, utterance, close, changed }: Props) {
  const [problem, setProblem] = useState<Problem>();
  const { n, version } = utterance;
  const found = useResource((signal) => api.get("/api/calls/{call_id}/transcript/edits", { path: { call_id: call }, query: { n }, signal }), [call, n, version]);
  const edits = [...(found.data?.edits ?? [])].reverse();
  const undo = () => {
    setProblem(undefined);
    api.post("/api/calls/{call_id}/transcript/utterances/{n}/undo", { path: { call_id: call, n }, body: { version, why: "" } })
      .then(() => { focusOn("edits"); changed(); }).catch((fault: unknown) => {
        setProblem(Problem.of(fault));
        changed();
      });
  };
  return (
    <Dialog title={t("history.title", { at: clock(utterance.start_ms / 1000) })} close={close}>
      <div class="help">
        {(problem ?? (!found.data && found.problem)) && <Fault problem={(problem ?? found.problem) as Problem} />}
        <ol class="plain history" id="edits" tabIndex={-1} aria-label={t("history.label")}>
          {edits.map((one) => (
            <li key={one.version}>
              <p class="aside">{t(one.undoes === null ? "history.corrected" : "history.undone", { who: one.person?.display_name ?? t("facts.unknown"), at: momentWithSeconds(one.at) })}{one.why && `. ${one.why}`}</p>
              <blockquote>{one.text ?? utterance.machine ?? utterance.text}</blockquote>
            </li>
          ))}
          <li><p class="aside">{t("history.machine")}</p><blockquote>{utterance.machine ?? utterance.text}</blockquote></li>
        </ol>
        {may("transcript.edit") && edits.length > 0 && utterance.machine !== null && <p><button type="button" class="button" onClick={undo}>{t("correct.undo")}</button></p>}
      </div>
    </Dialog>
  );
}
