/** Redan berättat: what has been said about a topic in the calls of the case, each sentence with its place in the sound. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock, moment } from "../format";
import { t, tn } from "../locale";
import { callAddress } from "../router";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";

type Hits = Shape<"HitList">;
const BEFORE_MS = 1500;

export function AlreadyTold({ calls }: { calls: Shape<"CaseCall">[] }) {
  const [topic, setTopic] = useState("");
  const [found, setFound] = useState<Hits>();
  const [sought, setSought] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const search = (event: Event) => {
    event.preventDefault();
    if (!topic.trim()) return;
    setProblem(undefined);
    api.get("/api/search", { query: { q: topic, call: calls.map((call) => call.call_id) } })
      .then((hits) => {
        setFound(hits);
        setSought(topic);
      })
      .catch((fault: unknown) => setProblem(fault instanceof Problem ? fault : new Problem(0, "fault", String(fault), "")));
  };
  return (
    <section class="card told" aria-labelledby="told">
      <h2 id="told">{t("told.title")}</h2>
      <p class="hint">{t("told.lead")}</p>
      <form class="told-form" onSubmit={search} role="search">
        <label class="unseen" for="topic">{t("told.topic")}</label>
        <input id="topic" type="search" value={topic} placeholder={t("told.topic")} onInput={(event) => setTopic(event.currentTarget.value)} />
        <button type="submit" class="button primary"><Icon name="search" />{t("told.search")}</button>
      </form>
      {problem && <Fault problem={problem} />}
      {found && <p role="status" class="hint">{found.hits.length === 0 ? t("told.none", { topic: sought }) : tn("told.count", found.hits.length)}{found.more && ` ${t("told.more")}`}</p>}
      {found && found.hits.length > 0 && (
        <ol class="hits">
          {found.hits.map((hit, n) => (
            <li key={n} class={`hit ${hit.leg}`}>
              <a class="button small" href={callAddress(hit.call_id, Math.max(0, hit.start_ms - BEFORE_MS))} aria-label={t("told.play", { at: clock(hit.start_ms / 1000) })}><Icon name="play" size={16} /><span class="clock">{clock(hit.start_ms / 1000)}</span></a>
              <div>
                <p class="hit-said">{hit.sentence.map((word, at) => <span key={at}>{word.found ? <mark>{word.text}</mark> : word.text} </span>)}</p>
                <p class="aside">{t(`leg.${hit.leg}`)}{hit.at && `, ${moment(hit.at)}`}{hit.replaced && `. ${t("told.replaced")}`}</p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
