/** A state: a shape, a colour and always the word. The shape differs for each meaning, so that colour is never needed. */
import type { ComponentChildren } from "preact";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet" | "rec";

const shapes: Record<Tone, string> = {
  good: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5 8.2 7.2 10.4 11.2 5.8",
  busy: "M8 2a6 6 0 1 0 6 6M8 4.5V8l2.3 1.4",
  warn: "M8 2 14.5 13.5H1.5ZM8 6.3v3.4M8 11.7v.1",
  bad: "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5ZM5.8 5.8l4.4 4.4M10.2 5.8 5.8 10.2",
  quiet: "M3 8h10",
  rec: "M8 13A5 5 0 1 0 8 3a5 5 0 0 0 0 10Z",
};

export function Shape({ tone }: { tone: Tone }) {
  return (
    <svg class={`shape ${tone}`} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[tone]} />
    </svg>
  );
}

export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <Shape tone={tone} />
      <span>{children}</span>
    </span>
  );
}
