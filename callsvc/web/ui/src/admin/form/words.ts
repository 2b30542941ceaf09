/** What the fields and entries of a form are called. */
import { lang, lookup, t } from "../../locale";
import { isTable, at as found, type Field, type Json, type Place } from "./value";

export function label(kind: string, name: string): string {
  return lookup(`form.${kind}.${name}`, lookup(`form.${name}`, lookup(`profile.${name}`, name)));
}

export function hint(kind: string, name: string): string {
  return lookup(`form.${kind}.${name}.hint`, lookup(`form.${name}.hint`, ""));
}

export function unit(field: Field): string {
  return field.name.endsWith("_pct") ? t("entries.unit.pct") : field.name.endsWith("_s") ? t("entries.unit.s") : "";
}

export function optionName(field: Field, option: Field["options"][number]): string {
  const named = lang.value === "sv" ? option.sv : option.en;
  return named ?? lookup(`form.${field.name}.${option.value}`, lookup(`profile.${option.value}`, lookup(`language.${option.value}`, option.value)));
}

/** What an entry is called in its list. */
export function entryName(entry: Json | undefined): string {
  const table = isTable(entry) ? entry : {};
  for (const one of [table[lang.value], table["sv"], table["id"]]) if (typeof one === "string" && one) return one;
  return t("entries.unnamed");
}

/** A place as people say it: Checklista 2 › Punkt 1 › På svenska. */
export function placeName(kind: string, place: Place): string {
  const parts: string[] = [];
  place.forEach((part, n) => {
    if (typeof part !== "string") return;
    const own = label(kind, n > 0 ? lookup(`form.among.${part}`, "") ? `among.${part}` : part : part);
    parts.push(typeof place[n + 1] === "number" ? lookup(`entries.one.${part}`, own, { n: Number(place[n + 1]) + 1 }) : own);
  });
  return parts.join(" › ");
}

/** What can be chosen: what the service says, or the entries of the list that the field speaks of; and what stands there. */
export function options(field: Field, value: Json, now: Json | undefined): Field["options"] {
  const among = field.among ? found(value, [field.among]) : undefined;
  const all = Array.isArray(among)
    ? among.flatMap((one) => (isTable(one) && typeof one["id"] === "string" ? [{ value: one["id"], sv: text(one["sv"]), en: text(one["en"]) }] : []))
    : field.options;
  const missing = (Array.isArray(now) ? now : [now]).filter((one): one is string => typeof one === "string" && one !== "" && !all.some((other) => other.value === one));
  return [...all, ...missing.map((one) => ({ value: one, sv: null, en: null }))];
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
