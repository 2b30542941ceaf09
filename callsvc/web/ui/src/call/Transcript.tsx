/** What was said, in step with the sound. A word plays itself: by click, or by Enter when it has the focus. */
import { useState } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { hour, percent } from "../format";
import { t } from "../locale";
import { useResource, type Resource } from "../resource";
import { Fault, Notice } from "../parts/Notice";
import { State } from "../parts/State";
import type { Sound } from "./sound";
import { Text as Words } from "./Text";

type Text = Shape<"TranscriptOut">;

/** So many utterances are asked for at first: what one sees of a call, however long it is. */
const FIRST = 40;

/** The text of a call, current: what a colleague corrects meanwhile comes of itself. A long one begins to stand there early. */
function useText(call: string, done: boolean): Resource<Text | null> {
  const [early, setEarly] = useState<Text | null>(null);
  const text = useResource(async (signal) => {
    if (!done) return null;
    const path = { call_id: call };
    const first = await api.get("/api/calls/{call_id}/transcript", { path, query: { count: FIRST }, signal });
    if (first.next === null) return first;
    setEarly((before) => before ?? first);
    const rest = await api.get("/api/calls/{call_id}/transcript", { path, query: { first: first.next }, signal });
    return { ...rest, utterances: [...first.utterances, ...rest.utterances] };
  }, [call, done], [`text:${call}`]);
  return { ...text, data: text.data === undefined ? early ?? undefined : text.data };
}

export function Transcript({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const state = call.transcript?.state;
  const text = useText(call.id, state === "done");
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
          {call.transcript?.expected_at && <span class="hint">{t("transcript.expected", { at: hour(call.transcript.expected_at) })}</span>}
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
      {text.data && <Words call={call.id} text={text.data} sound={sound} reload={text.reload} />}
    </section>
  );
}
