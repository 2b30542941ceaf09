/** What goes when words are chosen: the service's own rule (transcripts/layers/redacting.py), so that whoever chooses sees
at once which seconds and which words are taken out. A test holds the two against each other. */

export type Word = { readonly start_ms: number; readonly end_ms: number; readonly text: string; readonly estimated: boolean };
export type Said = { readonly n: number; readonly version: number; readonly start_ms: number; readonly end_ms: number; readonly words: readonly Word[] };
/** A word by its place: the how manieth utterance of the text, and the how manieth word of it. */
export type Place = { readonly line: number; readonly word: number };
export type Run = { n: number; version: number; first: number; last: number };
export type Stretch = { start_ms: number; end_ms: number; words: string[] };
export type Gone = { stretches: Stretch[]; words: ReadonlySet<string>; silencedMs: number };

const PAD_MS = 120;

/** How a word is named among the chosen ones. */
export function named(n: number, word: number): string {
  return `${n} ${word}`;
}

/** Every word from one place to another, whichever comes first. */
export function between(text: readonly Said[], a: Place, b: Place): string[] {
  const [first, last] = a.line < b.line || (a.line === b.line && a.word <= b.word) ? [a, b] : [b, a];
  const found: string[] = [];
  for (let line = first.line; line <= last.line; line += 1) {
    const said = text[line];
    if (!said) continue;
    const from = line === first.line ? first.word : 0;
    const to = line === last.line ? last.word : said.words.length - 1;
    for (let word = from; word <= Math.min(to, said.words.length - 1); word += 1) found.push(named(said.n, word));
  }
  return found;
}

/** One word on or back from a place; over the end of a line into the next one that has words. */
export function next(text: readonly Said[], at: Place, by: 1 | -1): Place {
  const word = at.word + by;
  if (word >= 0 && word < (text[at.line]?.words.length ?? 0)) return { line: at.line, word };
  for (let line = at.line + by; line >= 0 && line < text.length; line += by) {
    const many = text[line]?.words.length ?? 0;
    if (many > 0) return { line, word: by > 0 ? 0 : many - 1 };
  }
  return at;
}

/** The end of the line (or its beginning); where one stands there already, that of the next one. */
export function edge(text: readonly Said[], at: Place, by: 1 | -1): Place {
  const end = (line: number) => (by > 0 ? Math.max(0, (text[line]?.words.length ?? 1) - 1) : 0);
  if (at.word !== end(at.line)) return { line: at.line, word: end(at.line) };
  const { line } = next(text, at, by);
  return { line, word: end(line) };
}

/** The chosen words as runs that hang together within an utterance. */
export function runs(text: readonly Said[], chosen: ReadonlySet<string>): Run[] {
  const found: Run[] = [];
  for (const { n, version, words } of text) {
    for (let word = 0; word < words.length; word += 1) {
      if (!chosen.has(named(n, word))) continue;
      const last = found.at(-1);
      if (last && last.n === n && last.last === word - 1) last.last = word;
      else found.push({ n, version, first: word, last: word });
    }
  }
  return found;
}

/** What would be gone of a call of this length. */
export function takenOut(text: readonly Said[], chosen: ReadonlySet<string>, lengthMs: number): Gone {
  const lines = new Map(text.map((said) => [said.n, said]));
  const stretches: Stretch[] = [];
  const wanted = runs(text, chosen).map((run) => stretch(lines.get(run.n) as Said, run)).sort((a, b) => a.start_ms - b.start_ms || a.end_ms - b.end_ms);
  for (const one of wanted) {
    const last = stretches.at(-1);
    if (last && one.start_ms <= last.end_ms) last.end_ms = Math.max(last.end_ms, one.end_ms);
    else stretches.push(one);
  }
  const words = new Set<string>();
  for (const said of text) {
    said.words.forEach((word, n) => {
      const at = firstEndingAfter(stretches, word.start_ms);
      const into = [stretches[at], stretches[at + 1]].find((one) => one && touches(word, one));
      if (!into) return;
      words.add(named(said.n, n));
      into.words.push(word.text.trim());
    });
  }
  for (const one of stretches) one.end_ms = Math.min(one.end_ms, lengthMs);
  return { stretches, words, silencedMs: stretches.reduce((sum, one) => sum + one.end_ms - one.start_ms, 0) };
}

/** A word whose time is a guess takes along all that lies between its neighbours' times. */
function stretch(said: Said, { first, last }: Run): Stretch {
  const times = said.words.slice(first, last + 1);
  let start = times[0]?.start_ms ?? said.start_ms;
  let end = times.at(-1)?.end_ms ?? said.end_ms;
  if (times.some((word) => word.estimated)) {
    const before = said.words.slice(0, first).filter((word) => !word.estimated).map((word) => word.end_ms);
    const after = said.words.slice(last + 1).filter((word) => !word.estimated).map((word) => word.start_ms);
    start = Math.min(start, before.length > 0 ? Math.max(...before) : said.start_ms);
    end = Math.max(end, after.length > 0 ? Math.min(...after) : said.end_ms);
  }
  return { start_ms: Math.max(0, start - PAD_MS), end_ms: end + PAD_MS, words: [] };
}

/** They lie apart and in order: of an hour's words not each is held against each of them. */
function firstEndingAfter(stretches: readonly Stretch[], ms: number): number {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.end_ms ?? Infinity) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The sound beyond a word's own times, which a neighbour's edge may touch, does not take a word along; before the call's
beginning there is none. */
function touches(word: Word, one: Stretch): boolean {
  const before = one.start_ms > 0 ? PAD_MS : 0;
  if (word.start_ms < one.end_ms - PAD_MS && word.end_ms > one.start_ms + before) return true;
  return word.start_ms === word.end_ms && one.start_ms <= word.start_ms && word.start_ms <= one.end_ms;
}
