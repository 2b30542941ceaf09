/** What the operator's screen and the media node say to each other (docs/reference/operator-channel.md).

Commands are answered in order. What was not answered when the connection broke is sent again over the next one with its
old id, and the node does it once. */
import { signal } from "@preact/signals";

export type Hello = {
  profile: string;
  commands: string[];
  mask_reasons: string[];
  marker_kinds: string[];
  recall_ms: number;
  announcements: { id: string; version: string; languages: string[] }[];
};
export type Condition = "recording" | "masked" | "degraded" | "off" | "sealing" | "sealed";
export type NodeState = {
  state: "setting_up" | "live" | "ended";
  length_ms: number;
  recording: { condition: Condition; safe_ms: number; masked_ms: number; why: string };
  degraded: string[];
  away: string[];
  held: boolean;
  muted: boolean;
  digits: boolean;
  recall: { at_ms: number; to_ms: number } | null;
  announcement: { id: string; language: string; at_ms: number; length_ms: number } | null;
  strokes: number;
  level_before_db: number | null;
  level_after_db: number | null;
};
export type Command =
  | { do: "mask"; on: true; reason: string } | { do: "mask"; on: false }
  | { do: "marker"; kind?: string; text?: string }
  | { do: "recall"; back_ms?: number } | { do: "recall_stop" }
  | { do: "announce"; announcement: string; language: string } | { do: "announce_stop" }
  | { do: "digit"; digit: string }
  | { do: "hold"; on: boolean } | { do: "mute"; on: boolean };
/** A party pressed a key of its telephone; null where the line keeps to itself which. */
export type Pressed = { by: "caller" | "operator"; digit: string | null; at_ms: number };
export type Done = { at_ms: number; n: number } & Record<string, unknown>;

/** The node did not do it, for the reason `why`. */
export class NotDone extends Error {
  constructor(readonly why: string) {
    super(why);
  }
}

type Waiting = { text: string; done: (answer: Done) => void; refused: (fault: NotDone) => void };

export class Channel {
  readonly hello = signal<Hello | null>(null);
  readonly told = signal<NodeState | null>(null);
  /** When `told` came, by the browser's clock: between two words of the node the call's clock runs on by it. */
  readonly toldAt = signal(0);
  readonly digits = signal<readonly Pressed[]>([]);
  private wire: RTCDataChannel | null = null;
  private readonly waiting = new Map<string, Waiting>();
  private count = 0;
  private readonly mark = crypto.randomUUID().slice(0, 8);

  constructor(private readonly bye: (cause: string) => void) {}

  use(wire: RTCDataChannel | null): void {
    this.wire = wire;
    if (!wire) return;
    wire.onmessage = (event) => this.wire === wire && this.hear(String(event.data));
    wire.onopen = () => {
      for (const one of this.waiting.values()) wire.send(one.text);
    };
  }

  /** Say something that gets no answer; false when nobody would hear it. */
  say(message: { t: string } & Record<string, unknown>): boolean {
    if (this.wire?.readyState !== "open") return false;
    this.wire.send(JSON.stringify(message));
    return true;
  }

  /** Command, and wait until it has taken effect. Raises `NotDone`. */
  command(what: Command): Promise<Done> {
    const id = `${this.mark}.${(this.count += 1)}`;
    const text = JSON.stringify({ t: "command", id, ...what });
    return new Promise((done, refused) => {
      this.waiting.set(id, { text, done, refused });
      if (this.wire?.readyState === "open") this.wire.send(text);
    });
  }

  /** The call is over: what waits will not be answered. */
  close(): void {
    this.use(null);
    for (const one of this.waiting.values()) one.refused(new NotDone("not_live"));
    this.waiting.clear();
  }

  /** The call's own time now, in milliseconds. */
  now(): number {
    const told = this.told.value;
    if (!told) return 0;
    // A node that has been silent for long is not guessed for.
    return told.length_ms + (told.state === "live" ? Math.min(5000, performance.now() - this.toldAt.value) : 0);
  }

  private hear(text: string): void {
    let message: { t?: string } & Record<string, unknown>;
    try {
      message = JSON.parse(text) as typeof message;
    } catch {
      return;
    }
    const id = String(message["id"] ?? "");
    switch (message.t) {
      case "hello": this.hello.value = message as unknown as Hello; break;
      case "state":
        this.toldAt.value = performance.now();
        this.told.value = message as unknown as NodeState;
        break;
      case "done":
        this.waiting.get(id)?.done(message as unknown as Done);
        this.waiting.delete(id);
        break;
      case "refused":
        this.waiting.get(id)?.refused(new NotDone(String(message["why"] ?? "unknown")));
        this.waiting.delete(id);
        break;
      case "digit": this.digits.value = [...this.digits.value.slice(-99), message as unknown as Pressed]; break;
      case "bye": this.bye(String(message["cause"] ?? "")); break;
    }
  }
}
