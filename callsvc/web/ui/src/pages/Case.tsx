/** A case: its calls on one line, what was marked in them, and what has already been told, so that nobody is asked again. */
import { api, type Shape } from "../api/client";
import { ReasonGate } from "../call/ReasonGate";
import { profileName } from "../call/words";
import { clock, day, hour } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { addresses, callAddress } from "../router";
import { said, useGuides, type Guides } from "../desk/beside";
import { focusOn } from "../parts/arrive";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";
import { AlreadyTold } from "../case/AlreadyTold";
import { momentName } from "../case/moments";

type Call = Shape<"CaseCall">;

export function Case({ number }: { number: string }) {
  const found = useResource((signal) => api.get("/api/cases/{number}", { path: { number }, signal }), [number], ["shift"]);
  const guides = useGuides();
  const back = <p class="way-back"><a href={addresses.cases}><Icon name="left" size={18} />{t("case.back")}</a></p>;
  const calls = found.data?.calls;
  const longest = Math.max(1, ...(calls ?? []).map((call) => call.length_ms ?? 0));
  return (
    <Page title={t("case.title", { number })} before={back} {...(calls ? { lead: tn("calls.count", calls.length) } : {})}>
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      {calls && guides && (
        <>
          {calls.every((call) => call.opened)
            ? <AlreadyTold calls={calls} guides={guides} />
            : <ReasonGate title={t("case.gate")} go={t("case.open")} note={number} opened={() => { found.reload(); focusOn("told"); }}
              open={(reason) => api.post("/api/cases/{number}/access", { path: { number }, body: { reason } })} />}
          <section aria-labelledby="calls">
            <h2 id="calls">{t("case.calls")}</h2>
            <ol class="case-line">{calls.map((call) => <OneCall key={call.call_id} call={call} longest={longest} guides={guides} />)}</ol>
          </section>
        </>
      )}
    </Page>
  );
}

function OneCall({ call, longest, guides }: { call: Call; longest: number; guides: Guides }) {
  const length = call.length_ms ?? 0;
  const labels = guides.labels.filter((label) => call.labels.includes(label.id)).map(said);
  const placed = call.moments.filter((moment) => moment.at_ms !== null);
  return (
    <li class="card case-call">
      <div class="case-call-head">
        <h3><a href={callAddress(call.call_id)}>{t("case.call", { day: day(call.started_at), at: hour(call.started_at), line: profileName(call.profile) })}</a></h3>
        <span class="aside clock">{clock(length / 1000)}</span>
      </div>
      {labels.length > 0 && <p class="tags">{labels.map((label) => <span key={label} class="tag">{label}</span>)}</p>}
      <svg class="case-bar" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
        <line class="whole" x1="0" x2={(1000 * length) / longest} y1="12" y2="12" />
        {placed.map((moment, n) => <line key={n} class={moment.kind} x1={(1000 * (moment.at_ms ?? 0)) / longest} x2={(1000 * (moment.at_ms ?? 0)) / longest} y1="2" y2="22" />)}
      </svg>
      {call.moments.length === 0 ? <p class="hint">{t("case.no_moments")}</p> : (
        <ul class="moments">
          {call.moments.map((moment, n) => (
            <li key={n}>
              <Icon name={moment.kind === "marker" ? "flag" : "check"} size={16} />
              {moment.at_ms === null ? <span>{momentName(moment, guides)}</span>
                : <a href={callAddress(call.call_id, moment.at_ms)}><span class="clock">{clock(moment.at_ms / 1000)}</span> {momentName(moment, guides)}</a>}
            </li>
          ))}
        </ul>
      )}
      {call.hand_over && <p class="hand-over"><strong>{t("wrap.hand_over")}:</strong> {call.hand_over}</p>}
    </li>
  );
}
