/** What words of a line come to: numbers, times and dates in figures, and what may be personal data, by its kind. */
import type { Shape } from "../api/client";
import { dayOfYear, date, number } from "../format";
import { lang, lookup, t } from "../locale";

export type Mark = Shape<"MarkOut">;
type Value = Shape<"ValueOut">;

/** From here on a number is easier read in figures than in words. */
const FIGURES_FROM = 13;

/** A value as people write it: 35, 13:e, 5,2, 02.30 or 14.30, 3 maj. */
export function written({ kind, value }: Value): string {
  switch (kind) {
    case "cardinal": return number(Number(value));
    case "ordinal": {
      const form = new Intl.PluralRules(lang.value, { type: "ordinal" }).select(Number(value));
      return value + lookup(`value.ordinal.${form}`, "");
    }
    case "decimal": return lang.value === "sv" ? value.replace(".", ",") : value;
    case "time": return value.split("|").join(` ${t("value.or")} `);
    case "date": return value.startsWith("--") ? dayOfYear(value.slice(2)) : date(value);
    default: return value;
  }
}

/** What stands beside the last word of each phrase that has a value, by the place of that word. */
export function besides(words: readonly { text: string }[], values: readonly Value[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const one of values) {
    const spoken = words.slice(one.first, one.last + 1).every((word) => !/\d/.test(word.text));
    const small = (one.kind === "cardinal" || one.kind === "ordinal") && Number(one.value) < FIGURES_FROM;
    if (spoken && !small) found.set(one.last, written(one));
  }
  return found;
}
