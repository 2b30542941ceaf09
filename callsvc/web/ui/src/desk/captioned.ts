/** What is said in a call, as it is said: the service's stream of captions, joined to one text. */
import { signal, type Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Shape } from "../api/client";

export type Caption = Shape<"CaptionOut">;
/** `lost`: the stream itself is away, and is tried again. */
export type Standing = { state: "on" | "behind" | "off" | "lost"; why: string; delay_ms: number };

const AGAIN_MS = 3000;

export class Captioned {
  readonly captions: Signal<readonly Caption[]> = signal([]);
  readonly standing: Signal<Standing | null> = signal(null);
  private source: EventSource | null = null;
  private again: number | undefined;

  constructor(private readonly call: string) {}

  open(): void {
    const source = (this.source = new EventSource(`/api/calls/${this.call}/captions`));
    source.addEventListener("state", (event) => (this.standing.value = JSON.parse((event as MessageEvent<string>).data) as Standing));
    source.addEventListener("caption", (event) => this.put(JSON.parse((event as MessageEvent<string>).data) as Caption));
    source.addEventListener("over", () => this.close());
    source.onerror = () => {
      if (this.source !== source) return;
      this.standing.value = { state: "lost", why: "", delay_ms: 0 };
      // The browser tries a broken stream again by itself, but not one that was refused.
      if (source.readyState === EventSource.CLOSED) this.again = window.setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  close(): void {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }

  /** One that is new, or that has grown or been put right. What was found to be no speech has no text and goes. */
  put(one: Caption): void {
    const rest = this.captions.value.filter((other) => other.leg !== one.leg || other.n !== one.n);
    if (!one.text) {
      this.captions.value = rest;
      return;
    }
    const after = rest.findLastIndex((other) => other.start_ms <= one.start_ms);
    this.captions.value = [...rest.slice(0, after + 1), one, ...rest.slice(after + 1)];
  }
}

export function useCaptioned(call: string): Captioned {
  const [captioned] = useState(() => new Captioned(call));
  useEffect(() => {
    captioned.open();
    return () => captioned.close();
  }, [captioned]);
  return captioned;
}
