/** The text of a call in step with its sound: the utterance that is heard is in sight until the reader scrolls.

Of a long call only the rows that can be seen stand in the page; on paper all of them do. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { effect } from "@preact/signals";
import type { Shape } from "../api/client";
import { hint, useKeys } from "../keys";
import { t, tn } from "../locale";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { chosen, textIs } from "./choosing";
import { GoesNow, HowToChoose } from "./GoesNow";
import { History } from "./History";
import { usePicking } from "./picking";
import { lastAt, Rows, WHOLE } from "./rows";
import { doubt, Line, type Utterance } from "./Said";
import type { Sound } from "./sound";

const LINE_PX = 31;
const FRAME_PX = 31;
const LETTERS = 70;
const SCROLLING = new Set(["PageUp", "PageDown", "Home", "End"]);

function guess(one: Utterance): number {
  return FRAME_PX + LINE_PX * Math.max(1, Math.ceil(one.text.length / LETTERS));
}

type Props = { call: string; text: Shape<"TranscriptOut">; sound: Sound; reload: () => void };

export function Text({ call, text, sound, reload }: Props) {
  const [correcting, correct] = useState<number | null>(null);
  const [looking, look] = useState<number | null>(null);
  const [follow, setFollow] = useState(true);
  const mayCorrect = may("transcript.edit");
  const utterances = text.utterances;
  const box = useRef<HTMLOListElement>(null);
  const starts = useMemo(() => utterances.map((one) => one.start_ms), [utterances]);
  const words = useMemo(() => utterances.flatMap((one) => one.words).sort((a, b) => a.start_ms - b.start_ms), [utterances]);
  const wordStarts = useMemo(() => words.map((one) => one.start_ms), [words]);
  const at = (seconds: number) => lastAt(starts, seconds * 1000 + 1);
  const now = useSettled(sound, starts, at);
  const list = useRows(utterances, box, follow ? now : -1);
  const goTo = (ms: number | undefined) => {
    if (ms === undefined) return;
    setFollow(true); // whoever jumps wants to see where to
    sound.seek(ms / 1000);
  };
  const clamp = (n: number, length: number) => Math.min(Math.max(0, n), length - 1);
  const here = () => at(sound.at.value);
  const jump = (by: 1 | -1) => goTo(starts[clamp(here() + by, starts.length)]);
  const step = (by: 1 | -1) => goTo(wordStarts[clamp(lastAt(wordStarts, sound.at.value * 1000 + 1) + by, words.length)]);
  const nextDoubt = () => goTo(words.find((word) => (word.unsure || doubt(word.probability) > 0) && word.start_ms > sound.at.value * 1000 + 1)?.start_ms);
  const loop = () => {
    const one = utterances[here()];
    sound.loop.value = sound.loop.value || !one ? null : { from: one.start_ms / 1000, to: one.end_ms / 1000 };
  };
  const scrolled = () => setFollow(false);
  useEffect(() => textIs(utterances), [utterances]);
  const picking = usePicking(box, scrolled);
  useKeys({
    utteranceBefore: () => jump(-1), utteranceAfter: () => jump(1), follow: () => setFollow(!follow),
    wordBefore: () => step(-1), wordAfter: () => step(1), nextDoubt, loop,
    history: () => look(utterances[here()]?.n ?? null),
    correct: () => mayCorrect && correct(utterances[here()]?.n ?? null),
  });
  if (utterances.length === 0) return <p class="empty">{t("transcript.silent")}</p>;
  const [first, after] = list.shown;
  const looked = looking === null ? undefined : utterances.find((one) => one.n === looking);
  return (
    <>
      <div class="transcript-head">
        <p class="hint">{t("transcript.machine", { model: text.model ?? t("facts.unknown") })}</p>
        <label class="check" title={`${t("transcript.follow")} (${hint("follow")})`}>
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /><span>{t("transcript.follow")}</span>
        </label>
      </div>
      {chosen.value && <HowToChoose />}
      {list.long && <Finding utterances={utterances} found={(ms) => goTo(ms)} from={() => sound.at.value * 1000} />}
      <ol class={`utterances${list.long ? " long" : ""}${chosen.value ? " choosing" : ""}`} ref={box} {...picking} tabIndex={list.long ? 0 : undefined} aria-label={t("transcript.label")}
        onWheel={scrolled} onTouchMove={scrolled} onPointerDown={(event) => (event.target === box.current ? scrolled() : picking.onPointerDown?.(event))}
        onKeyDown={(event) => SCROLLING.has(event.key) && scrolled()} onScroll={list.long ? list.look : undefined}>
        {first > 0 && <li class="room" role="presentation" style={{ height: `${list.rows.top(first)}px` }} />}
        {utterances.slice(first, after).map((utterance, n) => (
          <Line key={utterance.n} call={call} utterance={utterance} now={first + n === now} sound={sound} language={text.language} reload={reload}
            correcting={correcting === utterance.n} look={look} correct={mayCorrect ? correct : null}
            place={first + n} of={utterances.length} measured={list.long ? list.measured : null} />
        ))}
        {after < utterances.length && <li class="room" role="presentation" style={{ height: `${list.rows.total - list.rows.top(after)}px` }} />}
      </ol>
      {chosen.value && <GoesNow />}
      {looked && <History call={call} utterance={looked} close={() => look(null)} changed={reload} />}
      <p class="hint legend">{t("transcript.legend")} <span class="doubt-1">{t("transcript.doubt.1")}</span>, <span class="doubt-2">{t("transcript.doubt.2")}</span></p>
    </>
  );
}

/** The utterance at the place in the call. After a leap the place itself is painted first, and the text a frame later. */
function useSettled(sound: Sound, starts: readonly number[], at: (seconds: number) => number): number {
  const [, again] = useState(0);
  const settled = useRef(-1);
  const find = useRef(at);
  const text = useRef<readonly number[] | null>(null);
  find.current = at;
  if (text.current !== starts) {
    // Another text, or more of it: the same place may be another row.
    text.current = starts;
    settled.current = at(sound.at.peek());
  }
  useEffect(() => {
    let frame = 0;
    let soon = 0;
    const take = () => {
      const found = find.current(sound.at.peek());
      if (found === settled.current) return;
      settled.current = found;
      again((n) => n + 1);
    };
    const stop = effect(() => {
      if (find.current(sound.at.value) === settled.current) return;
      cancelAnimationFrame(frame);
      clearTimeout(soon);
      frame = requestAnimationFrame(() => (soon = window.setTimeout(take)));
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      clearTimeout(soon);
    };
  }, [sound]);
  return settled.current;
}

type List = { rows: Rows; long: boolean; shown: [number, number]; look: () => void; measured: (n: number, height: number) => void };

/** The rows of the list that stand in the page; the one of `wanted` is brought into sight, if it is one. */
function useRows(utterances: Utterance[], box: { readonly current: HTMLOListElement | null }, wanted: number): List {
  const [paper, setPaper] = useState(false);
  const [, again] = useState(0);
  const [measure, remeasure] = useState(0);
  const rows = useMemo(() => new Rows(utterances.map(guess)), [utterances.length]);
  const frame = useRef(0);
  const long = !paper && utterances.length > WHOLE;
  const look = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => again((n) => n + 1));
  }, []);
  const measured = useCallback((n: number, height: number) => {
    if (rows.measured(n, height)) remeasure((m) => m + 1);
  }, [rows]);
  useEffect(() => {
    const print = matchMedia("print");
    const change = () => setPaper(print.matches);
    print.addEventListener("change", change);
    const before = () => setPaper(true);
    const after = () => setPaper(false);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      print.removeEventListener("change", change);
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
      cancelAnimationFrame(frame.current);
    };
  }, []);
  useLayoutEffect(() => {
    if (long) again((n) => n + 1); // once the list stands there, its height is known
  }, [long]);
  const list = box.current;
  const height = list?.clientHeight ?? 600;
  // Where the list will be scrolled to is known before anything is drawn, so that the rows there are drawn at once.
  const seen = list?.scrollTop ?? 0;
  const leaps = long && wanted >= 0 && (rows.top(wanted) < seen || rows.top(wanted) + rows.height(wanted) > seen + height);
  const brought = useRef("");
  const asked = `${wanted} ${measure}`;
  const leap = leaps && brought.current !== asked ? Math.max(0, rows.top(wanted) - height / 3) : seen;
  // Again when rows were measured: where a row stands is a guess until those before it have been seen.
  useLayoutEffect(() => {
    brought.current = asked;
    if (!list || wanted < 0) return;
    const row = list.querySelector<HTMLElement>(`[aria-posinset="${wanted + 1}"]`);
    if (!row) return;
    const top = row.offsetTop; // the list is what its rows are placed in
    if (top >= list.scrollTop && top + row.offsetHeight <= list.scrollTop + list.clientHeight) return;
    const calm = long || matchMedia("(prefers-reduced-motion: reduce)").matches;
    list.scrollTo({ top: top - list.clientHeight / 3, behavior: calm ? "auto" : "smooth" });
  }, [wanted, measure, long]);
  return {
    rows, long, look, measured,
    shown: long ? rows.shown(leap, height) : [0, utterances.length],
  };
}

/** The browser's own search sees only what stands in the page; this one sees the whole call. */
function Finding({ utterances, found, from }: { utterances: Utterance[]; found: (ms: number) => void; from: () => number }) {
  const [sought, setSought] = useState("");
  const [said, say] = useState("");
  const next = (event: Event) => {
    event.preventDefault();
    const wanted = sought.trim().toLocaleLowerCase();
    const hits = wanted ? utterances.filter((one) => one.text.toLocaleLowerCase().includes(wanted)) : [];
    const hit = hits.find((one) => one.start_ms > from() + 1) ?? hits[0];
    say(!wanted ? "" : hits.length === 0 ? t("transcript.find.none") : tn("transcript.find.count", hits.length));
    if (hit) found(hit.start_ms);
  };
  return (
    <form class="told-form" role="search" onSubmit={next}>
      <label class="unseen" for="find-in-call">{t("transcript.find")}</label>
      <input id="find-in-call" type="search" value={sought} placeholder={t("transcript.find")} onInput={(event) => setSought(event.currentTarget.value)} />
      <button type="submit" class="button"><Icon name="search" size={18} />{t("transcript.find.next")}</button>
      <p class="hint" role="status">{said}</p>
    </form>
  );
}
