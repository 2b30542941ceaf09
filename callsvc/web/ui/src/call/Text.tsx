/** The text of a call in step with its sound: the utterance that is heard is in sight until the reader scrolls.

Of a long call only the rows that can be seen stand in the page; on paper all of them do. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useComputed } from "@preact/signals";
import type { Shape } from "../api/client";
import { hint, useKeys } from "../keys";
import { t, tn } from "../locale";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { History } from "./History";
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
  const list = useRows(utterances, box);
  const starts = useMemo(() => utterances.map((one) => one.start_ms), [utterances]);
  const words = useMemo(() => utterances.flatMap((one) => one.words).sort((a, b) => a.start_ms - b.start_ms), [utterances]);
  const wordStarts = useMemo(() => words.map((one) => one.start_ms), [words]);
  const now = useComputed(() => lastAt(starts, sound.at.value * 1000 + 1)).value;
  const goTo = (ms: number | undefined) => {
    if (ms === undefined) return;
    setFollow(true); // whoever jumps wants to see where to
    sound.seek(ms / 1000);
  };
  const clamp = (n: number, length: number) => Math.min(Math.max(0, n), length - 1);
  const jump = (by: 1 | -1) => goTo(starts[clamp(now + by, starts.length)]);
  const step = (by: 1 | -1) => goTo(wordStarts[clamp(lastAt(wordStarts, sound.at.value * 1000 + 1) + by, words.length)]);
  const nextDoubt = () => goTo(words.find((word) => (word.unsure || doubt(word.probability) > 0) && word.start_ms > sound.at.value * 1000 + 1)?.start_ms);
  const loop = () => {
    const one = utterances[now];
    sound.loop.value = sound.loop.value || !one ? null : { from: one.start_ms / 1000, to: one.end_ms / 1000 };
  };
  useKeys({
    utteranceBefore: () => jump(-1), utteranceAfter: () => jump(1), follow: () => setFollow(!follow),
    wordBefore: () => step(-1), wordAfter: () => step(1), nextDoubt, loop,
    history: () => now >= 0 && look(utterances[now]?.n ?? null),
    correct: () => mayCorrect && now >= 0 && correct(utterances[now]?.n ?? null),
  });
  // Again when rows were measured: where a row stands is a guess until those before it have been seen.
  useEffect(() => {
    if (follow && now >= 0) list.bring(now);
  }, [now, follow, list.measure]);
  if (utterances.length === 0) return <p class="empty">{t("transcript.silent")}</p>;
  const [first, after] = list.shown;
  const scrolled = () => setFollow(false);
  const looked = looking === null ? undefined : utterances.find((one) => one.n === looking);
  return (
    <>
      <div class="transcript-head">
        <p class="hint">{t("transcript.machine", { model: text.model ?? t("facts.unknown") })}</p>
        <label class="check" title={`${t("transcript.follow")} (${hint("follow")})`}>
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /><span>{t("transcript.follow")}</span>
        </label>
      </div>
      {list.long && <Finding utterances={utterances} found={(ms) => goTo(ms)} from={() => sound.at.value * 1000} />}
      <ol class={list.long ? "utterances long" : "utterances"} ref={box} tabIndex={list.long ? 0 : undefined} aria-label={t("transcript.label")}
        onWheel={scrolled} onTouchMove={scrolled} onPointerDown={(event) => event.target === box.current && scrolled()}
        onKeyDown={(event) => SCROLLING.has(event.key) && scrolled()} onScroll={list.long ? list.look : undefined}>
        {first > 0 && <li class="room" role="presentation" style={{ height: `${list.rows.top(first)}px` }} />}
        {utterances.slice(first, after).map((utterance, n) => (
          <Line key={utterance.n} call={call} utterance={utterance} now={first + n === now} sound={sound} language={text.language} reload={reload}
            correcting={correcting === utterance.n} history={() => look(utterance.n)} correct={mayCorrect ? (on) => correct(on ? utterance.n : null) : null}
            place={{ n: first + n, of: utterances.length }} measured={list.long ? list.measured : null} />
        ))}
        {after < utterances.length && <li class="room" role="presentation" style={{ height: `${list.rows.total - list.rows.top(after)}px` }} />}
      </ol>
      {looked && <History call={call} utterance={looked} close={() => look(null)} changed={reload} />}
      <p class="hint legend">{t("transcript.legend")} <span class="doubt-1">{t("transcript.doubt.1")}</span>, <span class="doubt-2">{t("transcript.doubt.2")}</span></p>
    </>
  );
}

type List = { rows: Rows; long: boolean; measure: number; shown: [number, number]; look: () => void; measured: (n: number, height: number) => void; bring: (n: number) => void };

/** The rows of the list that stand in the page, and bringing one into sight. */
function useRows(utterances: Utterance[], box: { readonly current: HTMLOListElement | null }): List {
  const [paper, setPaper] = useState(false);
  const [, again] = useState(0);
  const [measure, remeasure] = useState(0);
  const rows = useMemo(() => new Rows(utterances.map(guess)), [utterances.length]);
  const frame = useRef(0);
  const long = !paper && utterances.length > WHOLE;
  const look = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => again((n) => n + 1));
  };
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
  const bring = (n: number) => {
    if (!list) return;
    const row = [...list.children].find((one) => one.getAttribute("aria-posinset") === String(n + 1)) as HTMLElement | undefined;
    const top = row ? row.offsetTop - list.offsetTop : rows.top(n);
    const height = row ? row.offsetHeight : rows.height(n);
    if (top >= list.scrollTop && top + height <= list.scrollTop + list.clientHeight) return;
    const calm = long || matchMedia("(prefers-reduced-motion: reduce)").matches;
    list.scrollTo({ top: top - list.clientHeight / 3, behavior: calm ? "auto" : "smooth" });
    if (!row) look();
  };
  return {
    rows, long, look, bring, measure,
    shown: long ? rows.shown(list?.scrollTop ?? 0, list?.clientHeight ?? 600) : [0, utterances.length],
    measured: (n, height) => rows.measured(n, height) && remeasure((m) => m + 1),
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
