/** Words that are chosen to be left out of a copy. While nobody chooses, a click on a word plays it. */
import { signal } from "@preact/signals";

/** Chosen words as "utterance word", or null while nobody chooses. */
export const chosen = signal<ReadonlySet<string> | null>(null);

/** Which version of an utterance its chosen words were read in: after a correction they are other words. */
const read = new Map<number, number>();

/** Choose the words `first` to `last` of an utterance, or let them stay if all of them were chosen. */
export function toggle(n: number, first: number, version: number, last = first): void {
  if (!chosen.value) return;
  const same = read.get(n) === version;
  const next = new Set([...chosen.value].filter((key) => same || !key.startsWith(`${n} `)));
  read.set(n, version);
  const keys = Array.from({ length: last - first + 1 }, (_, k) => `${n} ${first + k}`);
  if (keys.every((key) => next.has(key))) keys.forEach((key) => next.delete(key));
  else keys.forEach((key) => next.add(key));
  chosen.value = next;
}

/** The chosen words as stretches that hang together within an utterance. */
export function stretches(of: ReadonlySet<string>): { n: number; version: number; first: number; last: number }[] {
  const words = [...of].map((key) => key.split(" ").map(Number) as [number, number]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found: { n: number; version: number; first: number; last: number }[] = [];
  for (const [n, word] of words) {
    const last = found.at(-1);
    if (last && last.n === n && last.last === word - 1) last.last = word;
    else found.push({ n, version: read.get(n) ?? 0, first: word, last: word });
  }
  return found;
}
