/** What was played in which call: as the service tells it, and what this tab has played since, or while the service is away. */
import type { Shape } from "../api/client";

export type Told = Shape<"AnnouncedOut">;

const place = (call: string) => `callsvc.played.${call}`;

function here(call: string): Told[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(place(call)) ?? "[]");
    return Array.isArray(kept) ? (kept as Told[]) : [];
  } catch {
    return [];
  }
}

/** In the order of the call. What the service tells goes before what is remembered here. */
export function played(call: string, told: readonly Told[]): Told[] {
  const same = (one: Told, other: Told) => one.announcement === other.announcement && one.language === other.language && one.at_ms === other.at_ms;
  const mine = here(call).filter((one) => !told.some((other) => same(one, other)));
  return [...told, ...mine].sort((one, other) => one.at_ms - other.at_ms);
}

export function wasPlayed(call: string, announcement: string, language: string, atMs: number): void {
  try {
    const one: Told = { announcement, version: "", language, at_ms: atMs, source: "operator", by: "", cut_off: false };
    sessionStorage.setItem(place(call), JSON.stringify([...here(call), one]));
  } catch {
    return; // storage is refused: the recording knows all the same
  }
}
