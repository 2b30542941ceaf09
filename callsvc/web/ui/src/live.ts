/** What changes while one looks: pushed by the service, polled for when the push is away.

The push holds topics only ("calls", "call:<id>"); each page fetches what it shows, with the rights of its reader. */
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { gate } from "./api/client";
import { me } from "./session";

export type Line = "pushed" | "polled" | "lost";

export const line = signal<Line>("polled");
const POLL_MS = 5000;
const RETRY_MS = 3000;
/** The service speaks at least every 15 s; a stream that says nothing for longer is dead, whatever the browser thinks. */
const SILENCE_MS = 40_000;
type Listener = { topics: readonly string[]; tell: () => void };
const listeners = new Set<Listener>();

let source: EventSource | null = null;
let polling: number | undefined;
let retrying: number | undefined;
let silence: number | undefined;

function tell(topics: readonly string[] | null): void {
  for (const listener of listeners) {
    if (topics === null || listener.topics.some((topic) => topics.includes(topic))) listener.tell();
  }
}

function spoken(): void {
  clearTimeout(silence);
  silence = window.setTimeout(doubt, SILENCE_MS);
}

/** The line may be dead without anybody having said so: listen anew, and ask meanwhile. */
function doubt(): void {
  if (!source) return;
  open();
  startPolling();
  tell(null);
}

function open(): void {
  close();
  source = new EventSource("/api/events");
  spoken();
  source.addEventListener("still", spoken);
  source.addEventListener("hello", () => {
    spoken();
    const wasAway = line.value !== "pushed";
    line.value = "pushed";
    stopPolling();
    if (wasAway) tell(null);
  });
  source.addEventListener("changed", (event) => {
    spoken();
    const { topics } = JSON.parse((event as MessageEvent<string>).data) as { topics: string[] };
    tell(topics);
  });
  source.onerror = () => {
    if (line.value === "pushed") line.value = "polled";
    startPolling();
    if (source?.readyState === EventSource.CLOSED) {
      clearTimeout(retrying);
      retrying = window.setTimeout(open, RETRY_MS);
    }
  };
}

function startPolling(): void {
  polling ??= window.setInterval(() => tell(null), POLL_MS);
}

function stopPolling(): void {
  clearInterval(polling);
  polling = undefined;
}

function close(): void {
  source?.close();
  source = null;
  clearTimeout(retrying);
  clearTimeout(silence);
  stopPolling();
}

window.addEventListener("offline", doubt);
window.addEventListener("online", doubt);

/** The pages say how their own fetches fare: a fetch that does not arrive means that the line is lost. */
export function heard(arrived: boolean): void {
  if (!arrived) line.value = "lost";
  else if (line.value === "lost") line.value = source?.readyState === EventSource.OPEN ? "pushed" : "polled";
}

let person: string | null = null;
effect(() => {
  // A locked screen is told nothing; unlocked, it asks for all of it.
  const now = gate.locked.value ? null : me.value?.id ?? null;
  if (now === person) return;
  person = now;
  if (now) open();
  else close();
});

/** Calls `update` when one of the topics changed, until the returned function is called. */
export function listen(topics: readonly string[], update: () => void): () => void {
  const listener = { topics, tell: update };
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The same, while the component is shown. */
export function useLive(topics: readonly string[], update: () => void): void {
  useEffect(() => listen(topics, update), [topics.join(" "), update]);
}
