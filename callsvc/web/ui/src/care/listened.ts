/** How long one has listened this shift. Counted here in the browser for the listener alone: the service is never told. */
import { signal } from "@preact/signals";
import { me } from "../session";

/** After a pause of this length it is another shift. */
const SHIFT_PAUSE_MS = 6 * 3600_000;
/** Hints come at an hour, and at each half hour from there. */
const FIRST_S = 3600;
const NEXT_S = 1800;

type Kept = { seconds: number; last: number };

export const listened = signal(0);
/** The hint that was put aside, by its number. */
export const putAside = signal(0);

function place(): string {
  return `callsvc.listened.${me.value?.id ?? ""}`;
}

export function recall(now = Date.now()): void {
  let kept: Kept | null = null;
  try {
    kept = JSON.parse(localStorage.getItem(place()) ?? "null") as Kept | null;
  } catch {
    kept = null;
  }
  listened.value = kept && now - kept.last < SHIFT_PAUSE_MS ? kept.seconds : 0;
}

export function add(seconds: number, now = Date.now()): void {
  listened.value += seconds;
  try {
    localStorage.setItem(place(), JSON.stringify({ seconds: Math.round(listened.value), last: now } satisfies Kept));
  } catch {
    return; // storage is refused: it is counted for as long as the page lasts
  }
}

export function forget(): void {
  listened.value = 0;
  putAside.value = 0;
  try {
    localStorage.removeItem(place());
  } catch {
    return;
  }
}

/** The number of the hint that is due; 0 for none. */
export function hintDue(seconds: number): number {
  return seconds < FIRST_S ? 0 : 1 + Math.floor((seconds - FIRST_S) / NEXT_S);
}
