/** Who else works on the microphone's sound: found by the name that the microphone bears, and by what its pauses are like.

No import: the tests ask it by itself. */

/** A program or headset that filters; `label` is how microphones are called that it stands behind, `todo` what helps. */
export type Filter = { name: string; label: string; todo: string };

/** The first of these that a microphone's name gives away. */
export function filterOf(filters: readonly Filter[], label: string): Filter | undefined {
  return filters.find((one) => new RegExp(one.label, "i").test(label));
}

const SPOKEN_DB = -42;
/** No room and no microphone is as still as this. */
const DEAD_DB = -100;
const PAUSE_MS = [120, 4000] as const;
const ENOUGH = 3;

/** Listens to the level for something that closes between the words: each time after speech, dead silence for a pause's length.

A microphone that is not open yet, or is muted, is dead too; but not again and again right after a word. */
export class Pauses {
  private spoken = false;
  private deadSince: number | undefined;
  private found = 0;

  /** The level at a time in milliseconds; whether a gate has been heard by now. */
  hear(db: number, atMs: number): boolean {
    if (db < DEAD_DB) {
      this.deadSince ??= atMs;
    } else if (this.deadSince !== undefined) {
      const lengthMs = atMs - this.deadSince;
      this.deadSince = undefined;
      if (this.spoken && lengthMs >= PAUSE_MS[0] && lengthMs <= PAUSE_MS[1]) {
        this.found += 1;
        this.spoken = false;
      }
    }
    if (db > SPOKEN_DB) this.spoken = true;
    return this.found >= ENOUGH;
  }
}
