/** The first page: what goes on now, what has been, and a call to try it all with. */
import { useCallback, useState } from "preact/hooks";
import { api, type Problem, type Shape as ApiShape } from "../api/client";
import { DemoCall } from "../call/DemoCall";
import { HandedOver } from "../call/HandedOver";
import { profileName, quietSaid, recordingSaid, transcriptSaid, type Summary } from "../call/words";
import { clock, day, hour, isoDuration } from "../format";
import { lang, t, tn } from "../locale";
import { useResource } from "../resource";
import { callAddress } from "../router";
import { may } from "../session";
import { Clock, serviceTimeIs } from "../parts/Clock";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";

export function Calls() {
  const live = useResource(async (signal) => {
    const answer = await api.get("/api/calls", { query: { state: "live" }, signal });
    serviceTimeIs(answer.now);
    return answer.calls;
  }, [], ["calls"]);
  const finished = useFinished();
  return (
    <Page title={t("calls.title")} lead={t("calls.lead")}>
      {may("demo.place") && <DemoCall />}
      <HandedOver />
      <section aria-labelledby="live">
        <h2 id="live">{t("calls.live")}{live.data && live.data.length > 0 && <span class="count">{live.data.length}</span>}</h2>
        {live.problem && !live.data && <Fault problem={live.problem} retry={live.reload} />}
        {live.data && (live.data.length > 0
          ? <ul class="live-calls">{live.data.map((call) => <LiveCall key={call.id} call={call} />)}</ul>
          : <p class="empty">{t("calls.live.none")}</p>)}
      </section>
      <section aria-labelledby="finished">
        <h2 id="finished">{t("calls.finished")}</h2>
        {finished.problem && !finished.calls && <Fault problem={finished.problem} retry={finished.reload} />}
        {finished.calls && (finished.calls.length > 0
          ? <FinishedCalls calls={finished.calls} />
          : <p class="empty">{may("demo.place") ? t("calls.finished.none.demo") : t("calls.finished.none")}</p>)}
        {finished.more && <button type="button" class="button" onClick={finished.more}>{t("calls.more")}</button>}
      </section>
    </Page>
  );
}

/** Pages that were asked for are kept; what changes is the first one, where new calls come in. */
function useFinished(): { calls: Summary[] | undefined; problem: Problem | undefined; more: (() => void) | null; reload: () => void } {
  type List = ApiShape<"CallList">;
  const [older, setOlder] = useState<List[]>([]);
  const first = useResource((signal) => api.get("/api/calls", { query: { state: "finished" }, signal }), [], ["calls"]);
  const next = (older.at(-1) ?? first.data)?.next;
  const more = useCallback(() => {
    if (!next) return;
    void api.get("/api/calls", { query: { state: "finished", before: next } }).then((list) => setOlder((lists) => [...lists, list]));
  }, [next]);
  const seen = new Set<string>();
  const calls = first.data && [first.data, ...older].flatMap((list) => list.calls).filter((call) => !seen.has(call.id) && seen.add(call.id));
  return { calls, problem: first.problem, more: next ? more : null, reload: first.reload };
}

function LiveCall({ call }: { call: Summary }) {
  const running = call.recording?.state === "recording";
  return (
    <li class="live-call">
      <p class="live-state">
        {call.state === "setting_up" || !call.started_at
          ? <State tone="busy">{t("calls.setting_up")}</State>
          : <State tone={running ? "rec" : "quiet"}>{running ? t("recording.running") : t("recording.none")} <Clock since={call.started_at} /></State>}
      </p>
      <p class="live-line">{profileName(call.profile)}{call.demo && <span class="tag">{t("calls.demo.tag")}</span>}</p>
      {call.degraded && <p><State tone="warn">{t("quiet.degraded.live")}</State></p>}
      <a class="button small" href={callAddress(call.id)}>{t("calls.show")}<Icon name="arrow" size={16} /></a>
    </li>
  );
}

function FinishedCalls({ calls }: { calls: Summary[] }) {
  const days = new Map<string, Summary[]>();
  for (const call of calls) {
    const name = day(call.ended_at ?? call.created_at);
    days.set(name, [...(days.get(name) ?? []), call]);
  }
  return (
    <div lang={lang.value}>
      {[...days].map(([name, these]) => (
        <div key={name} class="day">
          <h3>{name}<span class="count">{tn("calls.count", these.length)}</span></h3>
          <ul class="call-list">{these.map((call) => <FinishedCall key={call.id} call={call} />)}</ul>
        </div>
      ))}
    </div>
  );
}

function FinishedCall({ call }: { call: Summary }) {
  const recording = recordingSaid(call);
  const transcript = transcriptSaid(call);
  const quiet = quietSaid(call);
  const seconds = (call.length_ms ?? 0) / 1000;
  return (
    <li>
      <a class="call-row" href={callAddress(call.id)}>
        <span class="call-time"><time datetime={call.started_at ?? call.created_at}>{hour(call.started_at ?? call.created_at)}</time></span>
        <span class="call-what">
          <span class="call-line">{profileName(call.profile)}{call.demo && <span class="tag">{t("calls.demo.tag")}</span>}</span>
          <span class="call-length"><time datetime={isoDuration(seconds)}>{clock(seconds)}</time></span>
        </span>
        <State tone={recording.tone}>{recording.words}</State>
        <State tone={quiet.tone}>{quiet.words}</State>
        <State tone={transcript.tone}>{transcript.words}</State>
        <span class="call-go"><Icon name="arrow" size={18} /></span>
      </a>
    </li>
  );
}
