/** Times, lengths and figures as people read them. */
import { lang } from "./locale";

/** Seconds as 4:12, or 1:04:12 from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${String(m).padStart(2, "0")}:${s}`;
}

/** The same to a tenth of a second: 04:12,3 */
export function clockTenths(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  return `${clock(tenths / 10)}${lang.value === "sv" ? "," : "."}${tenths % 10}`;
}

/** A duration for machines, for <time datetime>. */
export function isoDuration(seconds: number): string {
  return `PT${Math.max(0, Math.round(seconds))}S`;
}

const dated = new Map<string, Intl.DateTimeFormat>();

function formatter(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang.value} ${name}`;
  let found = dated.get(key);
  if (!found) dated.set(key, (found = new Intl.DateTimeFormat(lang.value === "sv" ? "sv-SE" : "en-GB", options)));
  return found;
}

/** 22 nov. 2026 14:03 */
export function moment(iso: string): string {
  return formatter("moment", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

/** 22 nov. 14:03:07 */
export function momentWithSeconds(iso: string): string {
  return formatter("seconds", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(iso));
}

/** 22 nov. 2026, of a day or of a moment */
export function date(iso: string): string {
  return formatter("date", { day: "numeric", month: "short", year: "numeric" }).format(new Date(iso.length === 10 ? `${iso}T00:00` : iso));
}

/** 3 maj, of a month and a day (05-03) */
export function dayOfYear(monthDay: string): string {
  return formatter("day of year", { day: "numeric", month: "long" }).format(new Date(`2000-${monthDay}T00:00`));
}

/** Words one after the other, with an "and" before the last. */
export function listed(words: readonly string[]): string {
  return new Intl.ListFormat(lang.value, { type: "conjunction" }).format(words);
}

/** söndag 22 november */
export function day(iso: string): string {
  return formatter("day", { weekday: "long", day: "numeric", month: "long" }).format(new Date(iso));
}

/** november 2026 */
export function monthName(iso: string): string {
  return formatter("month", { month: "short", year: "numeric", timeZone: "UTC" }).format(new Date(iso));
}

/** 14:03 */
export function hour(iso: string): string {
  return formatter("hour", { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(lang.value, { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}

/** A share in per cent, one decimal under ten. */
export function percent(value: number): string {
  return `${number(value, value > 0 && value < 10 ? 1 : 0)} %`;
}

/** A level with its true minus sign. */
export function decibel(value: number): string {
  return `${number(value, 0).replace("-", "−")} dB`;
}
