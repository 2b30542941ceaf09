/** One utterance: who said it and when, its words, each of which plays itself, and the way to correct it. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useComputed } from "@preact/signals";
import type { Shape } from "../api/client";
import { clock } from "../format";
import { hint } from "../keys";
import { t } from "../locale";
import { useReturn } from "../parts/arrive";
import { Icon } from "../parts/Icon";
import { still } from "../parts/still";
import { chosen, gone, toggle } from "./choosing";
import { Correcting } from "./Correcting";
import { besides, type Mark } from "./maybe";
import { named } from "./redacting";
import type { Sound } from "./sound";
import { walk } from "./walking";

export type Utterance = Shape<"UtteranceOut">;
export type Word = Utterance["words"][number];
const LEAD_S = 0.15;

/** How sure the machine was, in three steps: 0 sure, 1 less, 2 unsure. */
export function doubt(probability: number | null): 0 | 1 | 2 {
  if (probability === null || probability >= 0.8) return 0;
  return probability >= 0.5 ? 1 : 2;
}

type LineProps = {
  call: string;
  utterance: Utterance;
  now: boolean;
  sound: Sound;
  language: string;
  reload: () => void;
  correcting: boolean;
  /** Which utterance is corrected, or none; null where nobody may. */
  correct: ((n: number | null) => void) | null;
  look: (n: number) => void;
  place: number;
  of: number;
  measured: ((n: number, height: number) => void) | null;
};

/** While a call is heard one row changes at a time: the others are left as they are. */
export const Line = still(function Line({ call, utterance, now, sound, language, reload, correcting, correct, look, place, of, measured }: LineProps) {
  const play = (ms: number) => void sound.play(Math.max(0, ms / 1000 - LEAD_S));
  const row = useRef<HTMLLIElement>(null);
  const pencil = useReturn<HTMLButtonElement>(correcting);
  useEffect(() => {
    const box = row.current;
    if (!box || !measured) return undefined;
    const watch = new ResizeObserver(() => measured(place, box.getBoundingClientRect().height));
    watch.observe(box);
    return () => watch.disconnect();
  }, [measured, place]);
  return (
    <li ref={row} class={`utterance ${utterance.leg}`} aria-current={now ? "true" : undefined} aria-posinset={place + 1} aria-setsize={of}>
      <button type="button" class="stamp" onClick={() => play(utterance.start_ms)}>
        <span class="unseen">{t("transcript.play")} </span><span class="who">{t(`leg.${utterance.leg}`)} </span><span class="clock">{clock(utterance.start_ms / 1000)}</span>
      </button>
      {correcting && correct ? <Correcting call={call} utterance={utterance} close={() => correct(null)} changed={reload} /> : (
        <div class="said-row">
          <p class="said" lang={utterance.language || language} dir="auto" data-arrows onKeyDown={walk}>
            {utterance.kind === "unknown_language" ? <em lang={document.documentElement.lang}>{t("transcript.unknown_language")}</em>
              : now ? <PlayingWords utterance={utterance} sound={sound} play={play} /> : <Words utterance={utterance} playing={-1} play={play} />}
          </p>
          {utterance.machine !== null && <button type="button" class="corrected" title={`${t("correct.machine", { text: utterance.machine })} (${hint("history")})`} onClick={() => look(utterance.n)}><span>{t("correct.mark")}</span><span class="unseen"> {t("history.this", { at: clock(utterance.start_ms / 1000) })}</span></button>}
          {correct && <button type="button" ref={pencil} class="button bare small" onClick={() => correct(utterance.n)} aria-label={t("correct.this", { at: clock(utterance.start_ms / 1000) })} title={`${t("correct.do")} (${hint("correct")})`}><Icon name="pencil" size={16} /></button>}
          <Marked utterance={utterance} />
        </div>
      )}
    </li>
  );
});

/** While words are chosen: the whole line, and what of it may be personal data, to be chosen whole. Nothing is chosen of itself. */
function Marked({ utterance: { n, start_ms, marks, words } }: { utterance: Utterance }) {
  const picked = chosen.value;
  if (!picked || words.length === 0) return null;
  const all = (first: number, last: number) => words.slice(first, last + 1).every((_, k) => picked.has(named(n, first + k)));
  const whole = all(0, words.length - 1);
  return (
    <p class="marked">
      <button type="button" class="button small" aria-pressed={whole} onClick={() => toggle(n, 0, words.length - 1)}>
        {t("redact.utterance")}<span class="unseen"> {clock(start_ms / 1000)}</span></button>
      {marks.length > 0 && <span class="hint">{t("maybe.lead")}</span>}
      {marks.map((mark: Mark) => (
        <button key={mark.first} type="button" class="button small" aria-pressed={all(mark.first, mark.last)} onClick={() => toggle(n, mark.first, mark.last)}>
          {t(`maybe.${mark.kind}`)} <span dir="auto">{mark.value}</span>
        </button>
      ))}
    </p>
  );
}

type WordsProps = { utterance: Utterance; play: (ms: number) => void };

/** Only the utterance that is being heard looks at the clock. */
function PlayingWords({ sound, utterance, play }: WordsProps & { sound: Sound }) {
  const playing = useComputed(() => utterance.words.findLastIndex((word) => word.start_ms <= sound.at.value * 1000 + 1)).value;
  return <Words utterance={utterance} playing={playing} play={play} />;
}

function Words({ utterance, playing, play }: WordsProps & { playing: number }) {
  const { words, text, values } = utterance;
  const beside = useMemo(() => besides(words, values), [words, values]);
  const fates = useFates(utterance);
  if (words.length === 0) return <>{text}</>;
  return <>{words.map((word, n) => <OneWord key={n} at={n} word={word} first={n === 0} now={n === playing} fate={fates?.[n] as Fate | undefined} value={beside.get(n)}
    play={() => play(word.start_ms)} />)}</>;
}

/** Of a word while words are chosen: chosen, taken along because it is said at the same time, or stays. */
type Fate = "o" | "a" | "-";

/** One letter a word; a line is drawn anew only when it is one of its own words that changed. Null while nobody chooses. */
function useFates({ n, words }: Utterance): string | null {
  const line = useRef({ n, many: words.length });
  line.current = { n, many: words.length };
  return useComputed(() => {
    const picked = chosen.value;
    if (!picked) return null;
    const all = gone.value.words;
    return Array.from({ length: line.current.many }, (_, k) => {
      const key = named(line.current.n, k);
      return picked.has(key) ? "o" : all.has(key) ? "a" : "-";
    }).join("");
  }).value;
}

type OneWordProps = { word: Word; at: number; first: boolean; now: boolean; fate: Fate | undefined; value: string | undefined; play: () => void };
const fateClass: Record<Fate, string> = { o: " out", a: " along", "-": "" };

function OneWord({ word, at, first, now, fate, value, play }: OneWordProps) {
  const step = word.unsure ? 2 : doubt(word.probability);
  // Whoever marks words to copy them does not want to hear the one where they let go.
  const click = () => fate === undefined && (getSelection()?.isCollapsed ?? true) && play();
  return (
    <>
      <span role="button" tabIndex={first ? 0 : -1} data-at={at} class={`word doubt-${step}${now ? " now" : ""}${fate ? fateClass[fate] : ""}`} aria-pressed={fate && fate === "o"} onClick={click}
        onKeyDown={(event) => {
          if (event.shiftKey || (event.key !== "Enter" && event.key !== " ")) return;
          event.preventDefault();
          if (fate === undefined) play();
          else event.currentTarget.click();
        }}>
        {word.text.trim()}{step > 0 && <span class="unseen">{` (${step === 1 ? t("transcript.doubt.1") : t("transcript.doubt.2")})`}</span>}{fate === "a" && <span class="unseen">{` (${t("redact.along")})`}</span>}
      </span>{" "}
      {value !== undefined && <><small class="value" title={t("value.title")}>{value}</small>{" "}</>}
    </>
  );
}
