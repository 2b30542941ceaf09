/** Which page is shown: the path, and nothing else. */
import { signal } from "@preact/signals";

export const path = signal(location.pathname);

/** Set while something is unsaved: told where one wants to go, it may keep one here. */
export const guard: { ask: ((to: string) => boolean) | null } = { ask: null };

addEventListener("popstate", () => {
  const to = location.pathname + location.hash;
  if (location.pathname !== path.value && guard.ask?.(to)) history.pushState(null, "", path.value);
  else path.value = location.pathname;
});

/** `urgent`: a call cannot wait for an answer to what is unsaved; whoever sets the guard keeps that. */
export function go(to: string, { replace = false, urgent = false } = {}): void {
  if (to === location.pathname + location.hash || (!urgent && guard.ask?.(to))) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  path.value = location.pathname;
  scrollTo(0, 0);
}

/** Takes plain left clicks on links of ours; everything else is the browser's. */
export function onLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link || link.target || link.origin !== location.origin || link.hasAttribute("download")) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(link.pathname + link.hash);
}

export type Place =
  | { page: "calls" }
  | { page: "call"; id: string }
  | { page: "catalogue"; kind: string }
  | { page: "case"; number: string }
  | { page: "review"; id: string }
  | { page: "reviews" | "reviewFigures" | "told" | "retention" | "models" }
  | { page: "desk" | "cases" | "users" | "log" | "catalogues" | "health" | "password" | "unlocked" | "missing" };

export const addresses = {
  calls: "/",
  desk: "/samtal",
  cases: "/arenden",
  users: "/anvandare",
  log: "/atkomstlogg",
  health: "/drift",
  retention: "/drift/gallring",
  models: "/drift/modeller",
  catalogues: "/kataloger",
  password: "/losenord",
  reviews: "/granskning",
  reviewFigures: "/granskning/utveckling",
  told: "/aterkoppling",
  locked: "/last",
  unlocked: "/upplast",
} as const;

/** A call, and a place in it to begin at. */
export function callAddress(id: string, atMs?: number | null): string {
  return atMs === undefined || atMs === null ? `/samtal/${id}` : `/samtal/${id}#t=${(atMs / 1000).toFixed(1)}`;
}

/** Where in the call the address says to begin, in seconds. */
export function placeInCall(): number | null {
  const found = /^#t=(\d{1,6}(?:\.\d)?)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

export function caseAddress(number: string): string {
  return `/arenden/${encodeURIComponent(number)}`;
}

export function reviewAddress(id: string): string {
  return `/granskning/${id}`;
}

export function catalogueAddress(kind: string): string {
  return `${addresses.catalogues}/${kind}`;
}

export function place(at: string): Place {
  const call = /^\/samtal\/([0-9a-f-]{36})$/.exec(at);
  if (call?.[1]) return { page: "call", id: call[1] };
  const file = /^\/arenden\/([0-9A-Z][0-9A-Z-]{2,39})$/.exec(at);
  if (file?.[1]) return { page: "case", number: file[1] };
  const review = /^\/granskning\/([0-9a-f-]{36})$/.exec(at);
  if (review?.[1]) return { page: "review", id: review[1] };
  const text = /^\/kataloger\/([a-z-]{2,40})$/.exec(at);
  if (text?.[1]) return { page: "catalogue", kind: text[1] };
  switch (at) {
    case addresses.calls: return { page: "calls" };
    case addresses.cases: return { page: "cases" };
    case addresses.reviews: return { page: "reviews" };
    case addresses.reviewFigures: return { page: "reviewFigures" };
    case addresses.told: return { page: "told" };
    case addresses.desk: return { page: "desk" };
    case addresses.users: return { page: "users" };
    case addresses.log: return { page: "log" };
    case addresses.catalogues: return { page: "catalogues" };
    case addresses.health: return { page: "health" };
    case addresses.retention: return { page: "retention" };
    case addresses.models: return { page: "models" };
    case addresses.password: return { page: "password" };
    case addresses.locked: return { page: "calls" };
    case addresses.unlocked: return { page: "unlocked" };
    default: return { page: "missing" };
  }
}
