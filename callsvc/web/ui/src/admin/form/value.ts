/** What a form holds: plain data that is never changed in place, and the ways to change it. */
import type { Shape } from "../../api/client";

export type Field = Shape<"FormField">;
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Table = { [name: string]: Json };
export type Place = readonly (string | number)[];

/** An entry of a list carries a key, so that it stays itself when it is moved. Symbols are copied by spreading and never sent. */
const KEY = Symbol("key");
const FRESH = Symbol("fresh");
type Entry = Table & { [KEY]?: string; [FRESH]?: boolean };
let last = 0;

/** The same value, with a key on every entry. */
export function keyed<T extends Json>(value: T): T {
  if (Array.isArray(value)) {
    return value.map((one) => (isTable(one) ? { ...keyed(one), [KEY]: `e${++last}` } : one)) as T;
  }
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, keyed(one)])) as T;
}

export function isTable(value: Json | undefined): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function keyOf(entry: Json | undefined): string {
  return isTable(entry) ? (entry as Entry)[KEY] ?? "" : "";
}

/** Whether nobody has saved this entry yet: its name for programs may still follow its words. */
function isFresh(entry: Json | undefined): boolean {
  return isTable(entry) && (entry as Entry)[FRESH] === true;
}

export function at(value: Json | undefined, place: Place): Json | undefined {
  let found = value;
  for (const part of place) {
    if (Array.isArray(found) && typeof part === "number") found = found[part];
    else if (isTable(found) && typeof part === "string") found = found[part];
    else return undefined;
  }
  return found;
}

/** The value with something else at a place; undefined takes away what stands there. */
export function put<T extends Json>(value: T, place: Place, what: Json | undefined): T {
  const [first, ...rest] = place;
  if (first === undefined) return what as T;
  if (typeof first === "number") {
    const list = Array.isArray(value) ? value : [];
    return list.map((one, n) => (n === first ? put(one, rest, what) : one)) as T;
  }
  const table: Table = isTable(value) ? { ...value } : {};
  if (rest.length === 0 && what === undefined) delete table[first];
  else table[first] = put(table[first] ?? (typeof rest[0] === "number" ? [] : {}), rest, what);
  if (isTable(value) && first === "sv" && rest.length === 0 && isFresh(value) && (table["id"] ?? "") === slug(value["sv"])) table["id"] = slug(what);
  return table as T;
}

export function listAt(value: Json, place: Place): Json[] {
  const found = at(value, place);
  return Array.isArray(found) ? found : [];
}

export function moved(list: Json[], from: number, to: number): Json[] {
  const left = list.filter((_, n) => n !== from);
  return [...left.slice(0, to), list[from] ?? null, ...left.slice(to)];
}

/** A new entry: what must be there and is empty yet. */
export function fresh(fields: Field[]): Table {
  const made: Entry = { [KEY]: `e${++last}`, [FRESH]: true };
  for (const field of fields) {
    if (!field.required) continue;
    if (field.name === "version") made[field.name] = "1";
    else if (field.kind === "text") made[field.name] = "";
    else if (field.kind === "flag") made[field.name] = false;
    else if (field.kind === "choices" || field.kind === "list") made[field.name] = [];
    else if (field.kind === "group") made[field.name] = fresh(field.fields);
  }
  return made;
}

/** A name for programs, from words: *Är i säkerhet* is `ar_i_sakerhet`. */
function slug(words: Json | undefined): string {
  if (typeof words !== "string") return "";
  return words.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[^a-z]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40).replace(/_+$/, "");
}

export function begins(place: Place, by: Place): boolean {
  return by.length <= place.length && by.every((part, n) => place[n] === part);
}

export function idOf(place: Place): string {
  return ["f", ...place].join("-");
}
