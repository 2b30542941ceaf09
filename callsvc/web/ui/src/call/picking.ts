/** Choosing words with mouse, pen and keys, while somebody chooses: one, a stretch that is drawn over, or on to here. */
import { useEffect, useRef } from "preact/hooks";
import { useKeys } from "../keys";
import { chosen, from, further, to, undo } from "./choosing";
import type { Place } from "./redacting";

const EDGE_PX = 36;
const SCROLL_PX = 14;

type Box = { readonly current: HTMLElement | null };

/** Which word this is; null beside the words. */
function placeOf(target: EventTarget | null): Place | null {
  const word = target instanceof Element ? target.closest<HTMLElement>(".word") : null;
  const line = word?.closest("[aria-posinset]")?.getAttribute("aria-posinset");
  return word && line ? { line: Number(line) - 1, word: Number(word.dataset["at"]) } : null;
}

function wordAt(box: HTMLElement | null, { line, word }: Place): HTMLElement | null {
  return box?.querySelector<HTMLElement>(`[aria-posinset="${line + 1}"] .word[data-at="${word}"]`) ?? null;
}

/** Handlers for the list of utterances; `moved` is told when the reader goes somewhere of their own. */
export function usePicking(box: Box, moved: () => void) {
  const drawing = useRef(false);
  /** The pointer has done already what a click would do. */
  const done = useRef(false);
  const frame = useRef(0);
  const stop = () => {
    drawing.current = false;
    cancelAnimationFrame(frame.current);
  };
  useEffect(() => stop, []);
  const picks = chosen.value !== null;
  useEffect(() => {
    // Where one is in the text, so that one can begin at once.
    if (picks) (box.current?.querySelector<HTMLElement>("[aria-current] .word") ?? box.current?.querySelector<HTMLElement>(".word"))?.focus();
  }, [picks]);
  const goOn = (by: 1 | -1, whole: boolean) => {
    const at = placeOf(document.activeElement);
    if (!at) return;
    moved();
    const there = further(at, by, whole);
    focus(box.current, there);
  };
  useKeys(picks ? {
    chooseAfter: () => goOn(1, false), chooseBefore: () => goOn(-1, false),
    chooseDown: () => goOn(1, true), chooseUp: () => goOn(-1, true), chooseUndo: undo,
  } : {});
  if (!picks) return {};
  /** Near the edge the list goes along, for as long as the pointer stays there. */
  const scroll = (x: number, y: number) => {
    cancelAnimationFrame(frame.current);
    const list = box.current;
    const edges = list?.getBoundingClientRect();
    if (!list || !edges || !drawing.current) return;
    const by = y < edges.top + EDGE_PX ? -SCROLL_PX : y > edges.bottom - EDGE_PX ? SCROLL_PX : 0;
    if (by === 0) return;
    list.scrollTop += by;
    draw(x, Math.min(edges.bottom - 4, Math.max(edges.top + 4, y)));
    frame.current = requestAnimationFrame(() => scroll(x, y));
  };
  const draw = (x: number, y: number) => {
    const at = placeOf(document.elementFromPoint(x, y));
    if (at) to(at);
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      done.current = false;
      const at = placeOf(event.target);
      // With a finger one scrolls; what it taps comes as a click.
      if (!at || event.button !== 0 || event.pointerType === "touch") return;
      moved();
      if (event.shiftKey) to(at);
      else from(at);
      done.current = drawing.current = true;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (!drawing.current) return;
      draw(event.clientX, event.clientY);
      scroll(event.clientX, event.clientY);
    },
    onPointerUp: (event: PointerEvent) => {
      if (drawing.current) focus(box.current, placeOf(document.elementFromPoint(event.clientX, event.clientY)));
      stop();
    },
    onPointerCancel: stop,
    onClick: (event: MouseEvent) => {
      const at = placeOf(event.target);
      if (at && !done.current) from(at);
      done.current = false;
    },
  };
}

/** The word gets the focus, and is the one of its row that Tab comes to. A row that is not drawn yet is, a frame later. */
function focus(box: HTMLElement | null, at: Place | null, again = true): void {
  if (!at) return;
  const word = wordAt(box, at);
  if (!word) {
    if (again && box) {
      (box.querySelector("[aria-posinset]:last-of-type") as HTMLElement | null)?.scrollIntoView({ block: "nearest" });
      requestAnimationFrame(() => requestAnimationFrame(() => focus(box, at, false)));
    }
    return;
  }
  for (const one of word.closest("p")?.querySelectorAll<HTMLElement>(".word") ?? []) one.tabIndex = one === word ? 0 : -1;
  word.focus();
}
