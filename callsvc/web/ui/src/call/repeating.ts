/** A stretch that is heard over and over: how it is set, and when the sound goes back. In seconds of the call. */

/** `to` is null while only its beginning is set. */
export type Loop = { readonly from: number; readonly to: number | null };

/** Shorter than this is a slip of the hand. */
export const SHORTEST_S = 0.2;
/** With an end and no beginning, what was heard last is meant. */
export const LAST_S = 5;
/** A player lands near where it is sent, not on it. */
const NEAR_S = 0.3;

/** It begins here; the end stays if it still comes after. */
export function beginAt(loop: Loop | null, at: number): Loop {
  const to = loop?.to ?? null;
  return { from: at, to: to !== null && to - at >= SHORTEST_S ? to : null };
}

/** It ends here; the beginning stays if it still comes before. */
export function endAt(loop: Loop | null, at: number): Loop | null {
  return between(loop && at - loop.from >= SHORTEST_S ? loop.from : Math.max(0, at - LAST_S), at);
}

/** From one place to another, in whichever order they were pointed at; null for a slip. */
export function between(a: number, b: number): Loop | null {
  const [from, to] = a < b ? [a, b] : [b, a];
  return to - from >= SHORTEST_S ? { from, to } : null;
}

/** Whether the sound, going on from `before` to `now`, has come to the end of the stretch. Whoever goes elsewhere stays there. */
export function goesBack(loop: Loop | null, before: number, now: number): boolean {
  return loop !== null && loop.to !== null && before >= loop.from - NEAR_S && before < loop.to && now >= loop.to;
}
