/** The reviewer's worklist: what one has, what waits, what is done. Nobody's name is on it. */
import { useState } from "preact/hooks";
import { HandedOver } from "../call/HandedOver";
import { api, Problem, type Shape } from "../api/client";
import { clock } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { addresses, go, reviewAddress } from "../router";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";
import { ruleName, said, title, type Brief } from "../review/words";

type List = Shape<"ReviewList">;
const parts = ["mine", "waiting", "done"] as const;

export function Reviews() {
  return (
    <Page title={t("review.title")} lead={t("review.lead")}
      actions={may("review.figures") && <a class="button" href={addresses.reviewFigures}><Icon name="health" size={18} />{t("review.figures.open")}</a>}>
      <HandedOver />
      {parts.map((which) => <Part key={which} which={which} />)}
    </Page>
  );
}

function Part({ which }: { which: (typeof parts)[number] }) {
  const found = useResource((signal) => api.get("/api/reviews", { query: { which }, signal }), [which], ["calls", "shift"]);
  const list = found.data;
  return (
    <section aria-labelledby={`reviews-${which}`}>
      <h2 id={`reviews-${which}`}>{t(`review.${which}`)}{list && list.reviews.length > 0 && <span class="count">{list.reviews.length}</span>}</h2>
      {found.problem && !list && <Fault problem={found.problem} retry={found.reload} />}
      {list && (list.reviews.length === 0
        ? <p class="empty">{t(`review.${which}.none`)}</p>
        : <ul class="call-list">{list.reviews.map((one) => <Row key={one.id} one={one} list={list} which={which} reload={found.reload} />)}</ul>)}
      {list && which === "waiting" && <Rules list={list} />}
    </section>
  );
}

function Row({ one, list, which, reload }: { one: Brief; list: List; which: (typeof parts)[number]; reload: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const take = () => {
    api.post("/api/reviews/{review_id}/taking", { path: { review_id: one.id } })
      .then(() => go(reviewAddress(one.id)))
      .catch((fault: unknown) => {
        setProblem(Problem.of(fault));
        reload();
      });
  };
  return (
    <li class="review-row">
      <div class="review-what">
        <p class="call-line">{title(one)}</p>
        <p class="aside">{one.length_ms !== null && <span class="clock">{clock(one.length_ms / 1000)}</span>} · {ruleName(one.rule, list.rules)}
          {one.seats === 2 && <> · {t("review.two")}</>}</p>
        {one.handed_over && which !== "done" && <p class="hint">{t("review.word", { word: one.handed_over })}</p>}
        {one.place_ms > 0 && which !== "done" && <p class="hint">{t("review.place", { at: clock(one.place_ms / 1000) })}</p>}
      </div>
      {one.degraded ? <State tone="warn">{t("review.degraded")}</State> : <span />}
      {which === "waiting"
        ? <button type="button" class="button small" onClick={take}>{t("review.take")}<span class="unseen"> {title(one)}</span></button>
        : <a class="button small" href={reviewAddress(one.id)}>{which === "mine" ? t("review.go_on") : t("review.look")}<span class="unseen"> {title(one)}</span><Icon name="arrow" size={16} /></a>}
      {problem && <Fault problem={problem} />}
    </li>
  );
}

/** How calls come to be here, so that nobody has to wonder. */
function Rules({ list }: { list: List }) {
  return (
    <details class="review-rules">
      <summary>{t("review.rules")}</summary>
      <ul class="plain">
        {list.rules.map((rule) => <li key={rule.id}><strong>{said(rule)}</strong>: {tn("review.rule.share", rule.share_pct)}</li>)}
      </ul>
      <p class="hint">{t("review.rules.hint", { version: list.rules_version })}</p>
    </details>
  );
}
