/** What was said, in step with the sound. A word plays itself: by click, or by Enter when it has the focus. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useComputed } from "@preact/signals";
import { api, type Shape } from "../api/client";
import { clock, percent } from "../format";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { useResource } from "../resource";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { State } from "../parts/State";
import { chosen, toggle } from "./choosing";
import { Correcting } from "./Correcting";
import type { Sound } from "./sound";

type Utterance = Shape<"UtteranceOut">;
type Word = Utterance["words"][number];
const LEAD_S = 0.15;

/** How sure the machine was, in three steps: 0 sure, 1 less, 2 unsure. */
export function doubt(probability: number | null): 0 | 1 | 2 {
  if (probability === null || probability >= 0.8) return 0;
  return probability >= 0.5 ? 1 : 2;
}

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

function Text({ call, text, sound, reload }: { call: string; text: Shape<"TranscriptOut">; sound: Sound; reload: () => void }) {
  const [correcting, correct] = useState<number | null>(null);
  const mayCorrect = may("transcript.edit");
  const box = useRef<HTMLOListElement>(null);
  const [follow, setFollow] = useState(true);
  const utterances = text.utterances;
  const now = useComputed(() => {
    const ms = sound.at.value * 1000;
    return utterances.findLastIndex((utterance) => utterance.start_ms <= ms + 1);
  }).value;
  const jump = (by: number) => {
    const to = utterances[Math.min(Math.max(0, now + by), utterances.length - 1)];
    if (to) sound.seek(to.start_ms / 1000);
  };
  const words = utterances.flatMap((one) => one.words);
  const step = (by: 1 | -1) => {
    const at = words.findLastIndex((word) => word.start_ms <= sound.at.value * 1000 + 1);
    const to = words[Math.min(Math.max(0, at + by), words.length - 1)];
    if (to) sound.seek(to.start_ms / 1000);
  };
  const nextDoubt = () => {
    const to = words.find((word) => (word.unsure || doubt(word.probability) > 0) && word.start_ms > sound.at.value * 1000 + 1);
    if (to) sound.seek(to.start_ms / 1000);
  };
  const loop = () => {
    const one = utterances[now];
    sound.loop.value = sound.loop.value || !one ? null : { from: one.start_ms / 1000, to: one.end_ms / 1000 };
  };
  useKeys({
    utteranceBefore: () => jump(-1), utteranceAfter: () => jump(1), follow: () => setFollow(!follow),
    wordBefore: () => step(-1), wordAfter: () => step(1), nextDoubt, loop,
    correct: () => mayCorrect && now >= 0 && correct(utterances[now]?.n ?? null),
  });
  useEffect(() => {
    if (!follow || !sound.playing.value || now < 0) return;
    const line = box.current?.children[now];
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    line?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }, [now, follow]);
  if (utterances.length === 0) return <p class="empty">{t("transcript.silent")}</p>;
  return (
    <>
      <div class="transcript-head">
        <p class="hint">{t("transcript.machine", { model: text.model ?? t("facts.unknown") })}</p>
        <label class="check" title={`${t("transcript.follow")} (${hint("follow")})`}>
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /><span>{t("transcript.follow")}</span>
        </label>
      </div>
      <ol class="utterances" ref={box} onWheel={() => setFollow(false)} onTouchMove={() => setFollow(false)}>
        {utterances.map((utterance, n) => (
          <Line key={utterance.n} call={call} utterance={utterance} now={n === now} sound={sound} language={text.language} reload={reload}
            correcting={correcting === utterance.n} correct={mayCorrect ? (on) => correct(on ? utterance.n : null) : null} />
        ))}
      </ol>
      <p class="hint legend">{t("transcript.legend")} <span class="doubt-1">{t("transcript.doubt.1")}</span>, <span class="doubt-2">{t("transcript.doubt.2")}</span></p>
    </>
  );
}

type LineProps = { call: string; utterance: Utterance; now: boolean; sound: Sound; language: string; reload: () => void; correcting: boolean; correct: ((on: boolean) => void) | null };

function Line({ call, utterance, now, sound, language, reload, correcting, correct }: LineProps) {
  const play = (ms: number) => void sound.play(Math.max(0, ms / 1000 - LEAD_S));
  return (
    <li class={`utterance ${utterance.leg}`} aria-current={now ? "true" : undefined}>
      <button type="button" class="stamp" onClick={() => play(utterance.start_ms)}>
        <span class="unseen">{t("transcript.play")} </span><span class="who">{t(`leg.${utterance.leg}`)} </span><span class="clock">{clock(utterance.start_ms / 1000)}</span>
      </button>
      {correcting && correct ? <Correcting call={call} utterance={utterance} close={() => correct(false)} changed={reload} /> : (
        <div class="said-row">
          <p class="said" lang={language} data-arrows onKeyDown={walk}>
            {utterance.kind === "unknown_language" ? <em>{t("transcript.unknown_language")}</em>
              : now ? <PlayingWords n={utterance.n} words={utterance.words} text={utterance.text} sound={sound} play={play} />
                : <Words n={utterance.n} words={utterance.words} text={utterance.text} playing={-1} play={play} />}
          </p>
          {utterance.machine !== null && <span class="corrected" title={t("correct.machine", { text: utterance.machine })}>{t("correct.mark")}</span>}
          {correct && <button type="button" class="button bare small" onClick={() => correct(true)} aria-label={t("correct.this", { at: clock(utterance.start_ms / 1000) })} title={`${t("correct.do")} (${hint("correct")})`}><Icon name="pencil" size={16} /></button>}
        </div>
      )}
    </li>
  );
}

type WordsProps = { n: number; words: Word[]; text: string; play: (ms: number) => void };

/** Only the utterance that is being heard looks at the clock. */
function PlayingWords({ sound, ...rest }: WordsProps & { sound: Sound }) {
  const playing = useComputed(() => rest.words.findLastIndex((word) => word.start_ms <= sound.at.value * 1000 + 1)).value;
  return <Words {...rest} playing={playing} />;
}

function Words({ n: line, words, text, playing, play }: WordsProps & { playing: number }) {
  const picked = chosen.value;
  if (words.length === 0) return <>{text}</>;
  return <>{words.map((word, n) => <OneWord key={n} word={word} first={n === 0} now={n === playing} out={picked ? picked.has(`${line} ${n}`) : null}
    play={() => (picked ? toggle(line, n) : play(word.start_ms))} />)}</>;
}

function OneWord({ word, first, now, out, play }: { word: Word; first: boolean; now: boolean; out: boolean | null; play: () => void }) {
  const step = word.unsure ? 2 : doubt(word.probability);
  return (
    <>
      <span role="button" tabIndex={first ? 0 : -1} class={`word doubt-${step}${now ? " now" : ""}${out ? " out" : ""}`} aria-pressed={out ?? undefined} onClick={play}
        onKeyDown={(event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); play(); } }}>
        {word.text.trim()}{step > 0 && <span class="unseen">{` (${step === 1 ? t("transcript.doubt.1") : t("transcript.doubt.2")})`}</span>}
      </span>{" "}
    </>
  );
}

/** Left and right go from word to word; Tab goes from utterance to utterance. */
function walk(event: KeyboardEvent): void {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const words = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".word")];
  const here = words.indexOf(event.target as HTMLElement);
  const next = words[here + (event.key === "ArrowRight" ? 1 : -1)];
  if (here < 0 || !next) return;
  event.preventDefault();
  for (const word of words) word.tabIndex = word === next ? 0 : -1;
  next.focus();
}
