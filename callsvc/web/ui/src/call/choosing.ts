/** Words that are chosen to be left out of a copy: by word, by stretch, by utterance. While nobody chooses, a click on a
word plays it. */
import { computed, signal } from "@preact/signals";
import { between, edge, named, next, runs, takenOut, type Gone, type Place, type Run, type Said } from "./redacting";

type Chosen = ReadonlySet<string>;

const none: Chosen = new Set();
/** Chosen words, or null while nobody chooses. */
export const chosen = signal<Chosen | null>(null);
/** The text that is chosen from, and how long its call is. */
export const text = signal<readonly Said[]>([]);
export const lengthMs = signal(Infinity);
/** What was chosen before each step, the last one last. */
const earlier = signal<readonly Chosen[]>([]);
export const undoable = computed(() => earlier.value.length > 0);
/** What goes with what is chosen now: words of the other party at the same time among it. */
export const gone = computed<Gone>(() => takenOut(text.value, chosen.value ?? none, lengthMs.value));

/** Where a stretch was begun, where it has come to, whether it chooses or lets stay, and what was chosen before it. */
let drawn: { from: Place; to: Place; on: boolean; before: Chosen } | null = null;

export function begin(): void {
  drawn = null;
  earlier.value = [];
  chosen.value = none;
}

export function end(): void {
  drawn = null;
  earlier.value = [];
  chosen.value = null;
}

export function undo(): void {
  const back = earlier.value.at(-1);
  if (!back || !chosen.value) return;
  earlier.value = earlier.value.slice(0, -1);
  chosen.value = back;
  drawn = null;
}

/** A correction makes other words of a line: what was chosen of it is chosen no more. */
export function textIs(now: readonly Said[]): void {
  const versions = new Map(text.peek().map((said) => [said.n, said.version]));
  const other = new Set(now.filter((said) => (versions.get(said.n) ?? said.version) !== said.version).map((said) => String(said.n)));
  text.value = now;
  if (!chosen.peek() || other.size === 0) return;
  const stays = (one: Chosen) => new Set([...one].filter((key) => !other.has(key.split(" ")[0] ?? "")));
  earlier.value = earlier.peek().map(stays);
  chosen.value = stays(chosen.peek() as Chosen);
  drawn = null;
}

function put(before: Chosen, keys: readonly string[], on: boolean): void {
  const now = new Set(before);
  for (const key of keys) {
    if (on) now.add(key);
    else now.delete(key);
  }
  chosen.value = now;
}

function step(): Chosen {
  const now = chosen.peek() ?? none;
  earlier.value = [...earlier.peek(), now];
  return now;
}

/** Begin a stretch at this word: it is chosen, or, where it was chosen already, let stay. */
export function from(at: Place): void {
  const n = text.peek()[at.line]?.n;
  if (n === undefined || !chosen.peek()) return;
  const on = !chosen.peek()?.has(named(n, at.word));
  drawn = { from: at, to: at, on, before: step() };
  put(drawn.before, between(text.peek(), at, at), on);
}

/** Go on with the stretch to this word; without one, begin it here. */
export function to(at: Place): void {
  if (!drawn) return from(at);
  if (drawn.to.line === at.line && drawn.to.word === at.word) return;
  drawn.to = at;
  put(drawn.before, between(text.peek(), drawn.from, at), drawn.on);
}

/** Go on by a word or to the end of an utterance, from the word that has the focus; where the stretch then ends. */
export function further(at: Place, by: 1 | -1, whole: boolean): Place {
  if (!drawn || drawn.to.line !== at.line || drawn.to.word !== at.word) drawn = { from: at, to: at, on: true, before: step() };
  const there = (whole ? edge : next)(text.peek(), at, by);
  drawn.to = there;
  put(drawn.before, between(text.peek(), drawn.from, there), drawn.on);
  return there;
}

/** Choose the words `first` to `last` of an utterance, or let them stay if all of them were chosen. */
export function toggle(n: number, first: number, last: number): void {
  if (!chosen.peek()) return;
  const keys = Array.from({ length: last - first + 1 }, (_, k) => named(n, first + k));
  const all = keys.every((key) => chosen.peek()?.has(key));
  put(step(), keys, !all);
  drawn = null;
}

/** The chosen words as the service is told them. */
export function chosenRuns(): Run[] {
  return runs(text.peek(), chosen.peek() ?? none);
}
