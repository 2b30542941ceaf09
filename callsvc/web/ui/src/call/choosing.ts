/** Words that are chosen to be left out of a copy. While nobody chooses, a click on a word plays it. */
import { signal } from "@preact/signals";

/** Chosen words as "utterance word", or null while nobody chooses. */
export const chosen = signal<ReadonlySet<string> | null>(null);

export function toggle(n: number, word: number): void {
  if (!chosen.value) return;
  const next = new Set(chosen.value);
  const key = `${n} ${word}`;
  if (!next.delete(key)) next.add(key);
  chosen.value = next;
}

/** The chosen words as stretches that hang together within an utterance. */
export function stretches(of: ReadonlySet<string>): { n: number; first: number; last: number }[] {
  const words = [...of].map((key) => key.split(" ").map(Number) as [number, number]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found: { n: number; first: number; last: number }[] = [];
  for (const [n, word] of words) {
    const last = found.at(-1);
    if (last && last.n === n && last.last === word - 1) last.last = word;
    else found.push({ n, first: word, last: word });
  }
  return found;
}
