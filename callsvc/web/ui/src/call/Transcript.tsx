/** What was said, in step with the sound. A word plays itself: by click, or by Enter when it has the focus. */
import { api, type Shape } from "../api/client";
import { percent } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { Fault, Notice } from "../parts/Notice";
import { State } from "../parts/State";
import type { Sound } from "./sound";
import { Text } from "./Text";

export function Transcript({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const state = call.transcript?.state;
  const text = useResource(
    async (signal) => (state === "done" ? api.get("/api/calls/{call_id}/transcript", { path: { call_id: call.id }, signal }) : null),
    [call.id, state],
  );
  return (
    <section class="card transcript" aria-labelledby="transcript">
      <h2 id="transcript">{t("transcript.title")}</h2>
      {state === undefined && <p class="empty">{t("transcript.none.long")}</p>}
      {state === "queued" && <State tone="busy">{t("transcript.queued.long")}</State>}
      {state === "running" && (
        <div class="demo-progress">
          <p role="status"><State tone="busy">{t("transcript.running.long")}</State></p>
          <progress max={100} value={Math.round((call.transcript?.progress ?? 0) * 100)} aria-label={t("transcript.running.long")} />
          <span class="share">{percent(Math.round((call.transcript?.progress ?? 0) * 100))}</span>
        </div>
      )}
      {state === "waiting_model" && (
        <Notice tone="warn" title={t("transcript.waiting_model.title")}>
          <p>{t("transcript.waiting_model.how")}</p>
          <ol class="steps"><li>{t("transcript.waiting_model.step1")}</li><li>{t("transcript.waiting_model.step2")} <code>[transcripts] model_dir = "…"</code></li><li>{t("transcript.waiting_model.step3")}</li></ol>
        </Notice>
      )}
      {state === "failed" && <Notice tone="bad" title={t("transcript.failed")}><p>{t("transcript.failed.hint")}</p></Notice>}
      {text.problem && !text.data && <Fault problem={text.problem} retry={text.reload} />}
      {text.data && <Text call={call.id} text={text.data} sound={sound} reload={text.reload} />}
    </section>
  );
}
