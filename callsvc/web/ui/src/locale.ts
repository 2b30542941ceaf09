/** Every string on the screens, by key. Swedish is the source; English has the same keys (tsc and a test hold it). */
import { signal } from "@preact/signals";
import en from "./locale/en.json";
import sv from "./locale/sv.json";
import { remembered, remember } from "./remembered";

export type Key = keyof typeof sv;
export type Lang = "sv" | "en";
type Plural = Key extends infer K ? (K extends `${infer Stem}#one` ? Stem : never) : never;

const FROM_RIGHT = new Set(["ar", "ckb", "fa", "he", "ps", "ur", "yi"]);
const catalogues: Record<Lang, Record<Key, string>> = { sv, en };

export const lang = signal<Lang>(remembered("lang") === "en" ? "en" : "sv");

export function choose(next: Lang): void {
  lang.value = next;
  remember("lang", next);
  document.documentElement.lang = next;
}

/** The string for `key` with `{fields}` filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(catalogues[lang.value][key], values);
}

/** The string for a count: `key#one` or `key#other`, with `{n}` filled in. */
export function tn(key: Plural, n: number, values: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(lang.value).select(n) === "one" ? "one" : "other";
  const shown = new Intl.NumberFormat(lang.value).format(n);
  return fill(catalogues[lang.value][`${String(key)}#${form}` as Key], { n: shown, ...values });
}

/** The string for a key that is put together from data; `otherwise` when the catalogue has none. */
export function lookup(key: string, otherwise: string, values: Record<string, string | number> = {}): string {
  const found = (catalogues[lang.value] as Record<string, string>)[key];
  return found === undefined ? otherwise : fill(found, values);
}

/** Which way a language is written. */
export function directionOf(language: string): "ltr" | "rtl" {
  return FROM_RIGHT.has(language.split("-")[0] ?? "") ? "rtl" : "ltr";
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
