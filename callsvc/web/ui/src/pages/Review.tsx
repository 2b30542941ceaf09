/** One review: the call again, before and after, stroke by stroke; and the scorecard beside it. */
import { useEffect, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { Care } from "../care/Care";
import { Player } from "../call/Player";
import { Proof } from "../call/Proof";
import { ReasonGate } from "../call/ReasonGate";
import { Sound } from "../call/sound";
import { Transcript } from "../call/Transcript";
import { clock } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { addresses } from "../router";
import { BeforeAfter } from "../review/BeforeAfter";
import { Beside } from "../review/Beside";
import { Card } from "../review/Card";
import { Connection } from "../review/Connection";
import { title } from "../review/words";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";

type Whole = Shape<"ReviewOut">;

export function Review({ id }: { id: string }) {
  const [changed, setChanged] = useState<Whole>();
  const [problem, setProblem] = useState<Problem>();
  const found = useResource((signal) => api.get("/api/reviews/{review_id}", { path: { review_id: id }, signal }), [id]);
  const whole = changed ?? found.data;
  const call = useResource(
    async (signal) => (whole ? api.get("/api/calls/{call_id}", { path: { call_id: whole.review.call_id }, signal }) : null),
    [whole?.review.call_id],
  );
  const back = <p class="way-back"><a href={addresses.reviews}><Icon name="left" size={18} />{t("review.back")}</a></p>;
  const take = () => {
    api.post("/api/reviews/{review_id}/taking", { path: { review_id: id } }).then(setChanged)
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  if (!whole) return <Page title={t("review.one")} before={back}>{found.problem && <Fault problem={found.problem} retry={found.reload} />}</Page>;
  const detail = call.data;
  const { review } = whole;
  return (
    <Page before={back} title={t("review.titled", { what: title(review) })}>
      {problem && <Fault problem={problem} />}
      {review.degraded && <Notice tone="warn" title={t("quiet.degraded")}><p>{t("quiet.degraded.hint")}</p></Notice>}
      {call.problem && !detail && <Fault problem={call.problem} retry={call.reload} />}
      {!whole.mine && (
        <section class="card" aria-labelledby="free">
          <h2 id="free">{review.taken < review.seats ? t("review.free") : t("review.held")}</h2>
          <p>{t("review.free.hint")}</p>
          {review.taken < review.seats && <button type="button" class="button primary" onClick={take}>{t("review.take")}</button>}
        </section>
      )}
      {whole.mine && detail && (detail.opened
        ? <Opened whole={whole} call={detail} change={setChanged} />
        : <ReasonGate title={t("gate.title")} go={t("gate.open")} opened={call.reload}
          open={(reason) => api.post("/api/calls/{call_id}/access", { path: { call_id: detail.id }, body: { reason } })} />)}
    </Page>
  );
}

function Opened({ whole, call, change }: { whole: Whole; call: Shape<"CallDetail">; change: (next: Whole) => void }) {
  const [sound] = useState(() => new Sound(call.id));
  const replay = useResource((signal) => api.get("/api/calls/{call_id}/replay", { path: { call_id: call.id }, signal }), [call.id]);
  const { place_ms, handed_over } = whole.review;
  useEffect(() => {
    if (place_ms > 0 && !whole.mine?.done_at) sound.seek(place_ms / 1000);
  }, [sound]);
  return (
    <div class="review-desk">
      <div class="review-call">
        {place_ms > 0 && !whole.mine?.done_at && (
          <Notice tone="quiet" title={t("review.place", { at: clock(place_ms / 1000) })}>{handed_over && <p>{handed_over}</p>}</Notice>
        )}
        <Care call={call} sound={sound} />
        <Transcript call={call} sound={sound} />
        <Player call={call} sound={sound} />
        {replay.problem && !replay.data && <Fault problem={replay.problem} retry={replay.reload} />}
        {replay.data && <BeforeAfter call={call} sound={sound} replay={replay.data} />}
        <Connection call={call} sound={sound} seen={replay.data?.connection} />
        {replay.data && <Beside replay={replay.data} sound={sound} />}
        <Proof call={call} />
      </div>
      <Card whole={whole} sound={sound} change={change} />
    </div>
  );
}
