/** Keeps the notes of one call: on this computer at each key, with the service each second.

What the service has not yet taken lies in this browser's storage under the person and the call, and nowhere longer than
until it has: a reload, a crash or a lost network loses no word. */
import { signal } from "@preact/signals";
import { api, Problem, type Shape } from "../api/client";

export type Line = Shape<"NoteLine">;
export type Standing = "loading" | "saved" | "unsaved" | "away" | "closed" | "refused";

const EVERY_MS = 1000;

type Draft = { revision: number; lines: Line[] };

export class Keeper {
  readonly lines = signal<Line[]>([]);
  readonly standing = signal<Standing>("loading");
  private revision = 0;
  private dirty = false;
  private saving = false;
  private timer: number | undefined;
  private readonly place: string;

  constructor(private readonly person: string, private readonly call: string) {
    this.place = `callsvc.notes.${this.person}.${this.call}`;
    const draft = this.draft();
    if (draft) this.lines.value = draft.lines;
    void this.load();
  }

  /** The whole text as it is now; `atMs` is the call's time, for lines that are begun. */
  write(text: string, atMs: number | null): void {
    this.lines.value = anchored(this.lines.value, text, atMs);
    this.dirty = true;
    this.keepHere();
    if (this.standing.value === "saved") this.standing.value = "unsaved";
    this.timer ??= window.setTimeout(() => void this.save(), EVERY_MS);
  }

  /** Hand over what is not saved yet, now. */
  async save(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.dirty || this.saving || this.standing.value === "loading" || this.closed()) return;
    this.saving = true;
    this.dirty = false;
    const lines = this.lines.value;
    try {
      const answer = await api.put("/api/calls/{call_id}/notes", { path: { call_id: this.call }, body: { revision: this.revision, lines } });
      this.revision = answer.revision;
      this.standing.value = this.dirty ? "unsaved" : "saved";
      if (this.dirty) this.keepHere();
      else localStorage.removeItem(this.place);
    } catch (fault) {
      this.dirty = true;
      await this.failed(fault);
    } finally {
      this.saving = false;
      if (this.dirty && !this.closed()) this.timer ??= window.setTimeout(() => void this.save(), EVERY_MS);
    }
  }

  private closed(): boolean {
    return this.standing.value === "closed";
  }

  private async failed(fault: unknown): Promise<void> {
    const code = fault instanceof Problem ? fault.code : "fault";
    if (code === "notes_closed") this.standing.value = "closed";
    else if (code === "notes_changed") {
      this.standing.value = "loading";
      await this.load();
    } else this.standing.value = code === "unreachable" || code === "away" ? "away" : "refused";
  }

  private async load(): Promise<void> {
    try {
      const beside = await api.get("/api/calls/{call_id}/notes", { path: { call_id: this.call } });
      const mine = beside.notes.find((one) => one.mine);
      const known = mine?.lines ?? [];
      this.revision = mine?.revision ?? 0;
      const here = this.lines.value;
      // What is here is newer than what the service has, or the service has what another page wrote: nothing is dropped.
      const draft = this.draft();
      if (!draft && !this.dirty) this.lines.value = known;
      else this.lines.value = draft && draft.revision === this.revision ? here : joined(known, here);
      this.standing.value = beside.wrap_up?.state === "done" ? "closed" : "saved";
      this.dirty = JSON.stringify(this.lines.value) !== JSON.stringify(known);
      if (this.dirty) {
        this.standing.value = "unsaved";
        await this.save();
      } else localStorage.removeItem(this.place);
    } catch (fault) {
      if (fault instanceof Problem && fault.code !== "unreachable" && fault.code !== "away") this.standing.value = "refused";
      else window.setTimeout(() => void this.load(), 2 * EVERY_MS);
    }
  }

  private draft(): Draft | null {
    try {
      const kept = localStorage.getItem(this.place);
      return kept ? (JSON.parse(kept) as Draft) : null;
    } catch {
      return null;
    }
  }

  private keepHere(): void {
    try {
      localStorage.setItem(this.place, JSON.stringify({ revision: this.revision, lines: this.lines.value }));
    } catch {
      return; // storage is refused or full: the service still gets it each second
    }
  }
}

/** The text cut into lines; a line that was there keeps its moment, one that is begun now gets `atMs`. */
export function anchored(before: readonly Line[], text: string, atMs: number | null): Line[] {
  const after = text.split("\n");
  let same = 0;
  while (same < before.length && same < after.length && before[same]?.text === after[same]) same += 1;
  let tail = 0;
  while (tail < before.length - same && tail < after.length - same && before[before.length - 1 - tail]?.text === after[after.length - 1 - tail]) tail += 1;
  return after.map((line, n) => {
    if (n < same) return before[n] as Line;
    if (n >= after.length - tail) return before[before.length - (after.length - n)] as Line;
    const old = n < before.length - tail ? before[n] : undefined;
    return { at_ms: old && old.text.trim() ? old.at_ms : line.trim() ? atMs : null, text: line };
  });
}

/** Both texts, the known one first; lines that stand in both are there once. */
export function joined(known: readonly Line[], here: readonly Line[]): Line[] {
  const has = new Set(known.map((line) => `${line.at_ms} ${line.text}`));
  const texts = new Set(known.map((line) => line.text));
  return [...known, ...here.filter((line) => line.text.trim() && !has.has(`${line.at_ms} ${line.text}`) && !texts.has(line.text))];
}

const keepers = new Map<string, Keeper>();

/** The one keeper of a call's notes, whichever page shows them. */
export function keeperOf(person: string, call: string): Keeper {
  const key = `${person} ${call}`;
  let found = keepers.get(key);
  if (!found) keepers.set(key, (found = new Keeper(person, call)));
  return found;
}
