/** Redan berättat: what has been said about a topic in the calls of the case, each sentence with its place in the sound;
and what people marked and labelled in them, by topic. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock, moment } from "../format";
import { t, tn } from "../locale";
import { said, type Guides } from "../desk/beside";
import { callAddress } from "../router";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { momentName } from "./moments";

type Hits = Shape<"HitList">;
const BEFORE_MS = 1500;

export function AlreadyTold({ calls, guides }: { calls: Shape<"CaseCall">[]; guides: Guides }) {
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
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <section class="card told" aria-labelledby="told">
      <h2 id="told" tabIndex={-1}>{t("told.title")}</h2>
      <p class="hint">{t("told.lead")}</p>
      <form class="told-form" onSubmit={search} role="search">
        <label class="unseen" for="topic">{t("told.topic")}</label>
        <input id="topic" type="search" value={topic} placeholder={t("told.topic")} onInput={(event) => setTopic(event.currentTarget.value)} />
        <button type="submit" class="button primary"><Icon name="search" />{t("told.search")}</button>
      </form>
      <Marked calls={calls} guides={guides} />
      {problem && <Fault problem={problem} />}
      {found && <p role="status" class="hint">{found.hits.length === 0 ? t("told.none", { topic: sought }) : tn("told.count", found.hits.length)}{found.more && ` ${t("told.more")}`}</p>}
      {found && found.hits.length > 0 && (
        <ol class="hits">
          {found.hits.map((hit, n) => (
            <li key={n} class={`hit ${hit.leg}`}>
              <a class="button small" href={callAddress(hit.call_id, Math.max(0, hit.start_ms - BEFORE_MS))} aria-label={t("told.play", { at: clock(hit.start_ms / 1000) })}><Icon name="play" size={16} /><span class="clock">{clock(hit.start_ms / 1000)}</span></a>
              <div>
                <p class="hit-said" dir="auto">{hit.sentence.map((word, at) => <span key={at}>{word.found ? <mark>{word.text}</mark> : word.text} </span>)}</p>
                <p class="aside">{t(`leg.${hit.leg}`)}{hit.at && `, ${moment(hit.at)}`}{hit.replaced && `. ${t("told.replaced")}`}</p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

type Topic = { name: string; places: { call: Shape<"CaseCall">; atMs: number | null }[] };

/** What operators marked, ticked and labelled, each with the calls and the places where. */
function topics(calls: readonly Shape<"CaseCall">[], guides: Guides): Topic[] {
  const found = new Map<string, Topic["places"]>();
  const put = (name: string, call: Shape<"CaseCall">, atMs: number | null) => found.set(name, [...(found.get(name) ?? []), { call, atMs }]);
  for (const call of calls) {
    for (const one of guides.labels) if (call.labels.includes(one.id)) put(said(one), call, null);
    for (const one of call.moments) put(momentName(one, guides), call, one.at_ms);
  }
  return [...found].map(([name, places]) => ({ name, places: places.some((one) => one.atMs !== null) ? places.filter((one) => one.atMs !== null) : places }));
}

function Marked({ calls, guides }: { calls: Shape<"CaseCall">[]; guides: Guides }) {
  const [topic, choose] = useState("");
  const all = topics(calls, guides);
  const chosen = all.find((one) => one.name === topic);
  if (all.length === 0) return null;
  return (
    <fieldset class="marked-topics">
      <legend>{t("told.marked")}</legend>
      <div class="chips">
        {all.map((one) => <button key={one.name} type="button" class="button small" aria-pressed={one === chosen} onClick={() => choose(one === chosen ? "" : one.name)}>{one.name}<span class="count">{one.places.length}</span></button>)}
      </div>
      {chosen && (
        <ul class="plain" aria-label={chosen.name}>
          {chosen.places.map(({ call, atMs }, n) => (
            <li key={n}>
              <a class="button small" href={callAddress(call.call_id, atMs === null ? null : Math.max(0, atMs - BEFORE_MS))}><Icon name="play" size={16} />{atMs === null ? t("told.call") : <span class="clock">{clock(atMs / 1000)}</span>}
                <span class="unseen"> {chosen.name}</span></a>{" "}
              <span class="aside">{moment(call.started_at)}</span>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}
