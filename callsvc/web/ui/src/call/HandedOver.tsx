/** What colleagues have handed to oneself: opened where they had come to. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock, moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { callAddress, go, reviewAddress } from "../router";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { profileName } from "./words";

type One = Shape<"HandOverOut">;

export function HandedOver() {
  const can = may("handover.take");
  const found = useResource(async (signal) => (can ? (await api.get("/api/hand-overs", { signal })).hand_overs : []), [can], ["hand-overs"]);
  const [problem, setProblem] = useState<Problem>();
  if (!found.data || found.data.length === 0) return null;
  const open = async (one: One) => {
    try {
      if (one.review_id) await api.post("/api/reviews/{review_id}/taking", { path: { review_id: one.review_id } });
      await api.post("/api/hand-overs/{hand_over_id}/taking", { path: { hand_over_id: one.id } });
      go(one.review_id ? reviewAddress(one.review_id) : callAddress(one.call_id, one.place_ms));
    } catch (fault) {
      setProblem(Problem.of(fault));
    }
  };
  return (
    <section class="handed-over" aria-labelledby="handed-over">
      <h2 id="handed-over">{t("handover.title")}<span class="count">{found.data.length}</span></h2>
      {problem && <Fault problem={problem} />}
      <ul class="call-list">
        {found.data.map((one) => {
          const what = t("call.titled", { line: profileName(one.profile), at: one.started_at ? moment(one.started_at) : t("facts.unknown") });
          return (
            <li key={one.id} class="review-row">
              <div class="review-what">
                <p class="call-line">{what}</p>
                <p class="aside">{t(one.review_id ? "handover.from.review" : "handover.from", { name: one.from_name, at: moment(one.at) })}{one.place_ms !== null && one.place_ms > 0 && <> · {t("review.place", { at: clock(one.place_ms / 1000) })}</>}</p>
                {one.word && <p class="hint">{one.word}</p>}
              </div>
              <span />
              <button type="button" class="button small" onClick={() => void open(one)}>{t("handover.open")}<span class="unseen"> {what}</span><Icon name="arrow" size={16} /></button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
