/** The keyboard: keymap.json says which key does what where; this listens, and tells help and tooltips the same. */
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { gate } from "./api/client";
import { lookup, type Key } from "./locale";
import keymap from "./keymap.json";
import { remember, remembered } from "./remembered";

export type Action = (typeof keymap)[number]["action"];
/** `global` keys answer also while one types: they are no letters, and what they do cannot wait. */
export type Binding = { action: string; keys: string[]; where: string; global?: boolean };

export const bindings: readonly Binding[] = keymap;
/** Single letters can be turned off (WCAG 2.1.4): those who dictate or tremble press them by accident. */
export const letters = signal(remembered("keys") !== "off");

export function chooseLetters(on: boolean): void {
  letters.value = on;
  remember("keys", on ? null : "off");
}

type Handler = () => void;
const handlers = new Map<string, Handler>();
const CHORD_MS = 1200;
let first: { key: string; at: number } | null = null;

function pressed(event: KeyboardEvent): string {
  return event.key === " " ? "Space" : event.key;
}

/** The key with what is held down besides, where that makes it another key: a capital letter is one by itself. */
function combined(event: KeyboardEvent): string | null {
  if (event.ctrlKey || event.metaKey) return `Control+${event.key.toLowerCase()}`;
  return event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : null;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && Boolean(target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]"));
}

/** Keys that the focused control itself answers to stay with it. */
function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (key === "Space") return Boolean(target.closest("button, a, summary, input, [role=button], [role=slider]"));
  if (key.startsWith("Arrow")) return Boolean(target.closest("[role=slider], [role=radiogroup], input, [data-arrows]"));
  return false;
}

function run(action: string, event: KeyboardEvent): void {
  event.preventDefault();
  first = null;
  handlers.get(action)?.();
}

addEventListener("keydown", (event) => {
  if (gate.locked.value || event.defaultPrevented || event.altKey) return;
  const together = combined(event);
  if (together !== null) {
    const meant = bindings.find((binding) => !binding.global && handlers.has(binding.action) && binding.keys.includes(together));
    if (meant && !typing(event.target) && !document.querySelector("dialog[open]")) run(meant.action, event);
    if (meant || event.ctrlKey || event.metaKey) return;
  }
  const held = event.shiftKey ? `Shift+${event.key}` : event.key;
  const now = bindings.find((binding) => binding.global && handlers.has(binding.action) && binding.keys.includes(held));
  if (now) {
    // A key that is held down does it once: nobody masks and unmasks thirty times a second.
    if (event.repeat) event.preventDefault();
    else run(now.action, event);
    return;
  }
  if (!letters.value || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = pressed(event);
  if (taken(event.target, key)) return;
  const chord = first && event.timeStamp - first.at < CHORD_MS ? `${first.key} ${key}` : null;
  first = null;
  const meant = (wish: string | null) => bindings.find((binding) => handlers.has(binding.action) && wish !== null && binding.keys.includes(wish));
  const binding = meant(chord) ?? meant(key);
  if (binding) {
    run(binding.action, event);
    return;
  }
  if (bindings.some((binding) => binding.keys.some((candidate) => candidate.startsWith(`${key} `)))) {
    first = { key, at: event.timeStamp };
  }
});

/** As if one of its keys had been pressed: for keys that are not the keyboard's. Whether anything answered. */
export function act(action: Action): boolean {
  const handler = gate.locked.value ? undefined : handlers.get(action);
  handler?.();
  return handler !== undefined;
}

/** While the component is shown, its actions answer to their keys. */
export function useKeys(actions: Record<Action, Handler> | Partial<Record<Action, Handler>>): void {
  // Before the next key can come: what is on the screen is what the keys do.
  useLayoutEffect(() => {
    const mine = Object.entries(actions) as [string, Handler][];
    for (const [action, handler] of mine) handlers.set(action, handler);
    return () => {
      for (const [action, handler] of mine) if (handlers.get(action) === handler) handlers.delete(action);
    };
  });
}

export function keyNames(binding: Binding): string[][] {
  return binding.keys.map((keys) => keys.split(/ |(?<=.)\+(?=.)/).map((key) => lookup(`keyname.${key}`, key.length === 1 ? key.toUpperCase() : key)));
}

export function actionLabel(action: string): Key {
  return `key.${action}` as Key;
}

/** For title and aria-keyshortcuts: the first key of an action. */
export function hint(action: Action): string {
  const binding = bindings.find((candidate) => candidate.action === action);
  const names = binding ? keyNames(binding)[0] : undefined;
  return names ? names.join(" ") : "";
}
