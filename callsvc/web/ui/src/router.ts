/** Which page is shown: the path, and nothing else. */
import { signal } from "@preact/signals";

export const path = signal(location.pathname);

addEventListener("popstate", () => (path.value = location.pathname));

export function go(to: string, { replace = false } = {}): void {
  if (to === path.value) return;
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
  go(link.pathname);
}

export type Place =
  | { page: "calls" }
  | { page: "call"; id: string }
  | { page: "desk" | "users" | "log" | "health" | "password" | "missing" };

export const addresses = {
  calls: "/",
  desk: "/samtal",
  users: "/anvandare",
  log: "/atkomstlogg",
  health: "/drift",
  password: "/losenord",
} as const;

export function callAddress(id: string): string {
  return `/samtal/${id}`;
}

export function place(at: string): Place {
  const call = /^\/samtal\/([0-9a-f-]{36})$/.exec(at);
  if (call?.[1]) return { page: "call", id: call[1] };
  switch (at) {
    case addresses.calls: return { page: "calls" };
    case addresses.desk: return { page: "desk" };
    case addresses.users: return { page: "users" };
    case addresses.log: return { page: "log" };
    case addresses.health: return { page: "health" };
    case addresses.password: return { page: "password" };
    default: return { page: "missing" };
  }
}
