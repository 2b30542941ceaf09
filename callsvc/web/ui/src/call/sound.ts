/** The sound of a call: one stream that holds every track as a channel, so that all stay in step to the sample.

    <audio> ─► splitter ─► a gain per channel ─► as it is, or softened ─► one loudspeaker

Which side of the operator is heard, and which party at all, is a matter of gains: a switch is heard at once. */
import { signal } from "@preact/signals";
import { Softener } from "../care/softener";
import { remember, remembered } from "../remembered";
import { goesBack, type Loop } from "./repeating";

export type Side = "cleaned" | "raw";
export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;
const FADE_S = 0.012;

export class Sound {
  readonly audio = new Audio();
  readonly playing = signal(false);
  readonly at = signal(0);
  readonly failed = signal(false);
  readonly speed = signal(Number(remembered("speed")) || 1);
  readonly side = signal<Side>("cleaned");
  readonly heard = signal<{ caller: boolean; operator: boolean }>({ caller: true, operator: true });
  /** A stretch that is heard over and over. */
  readonly loop = signal<Loop | null>(null);
  /** Sound is off: a place can be sought and read, and nothing is heard. */
  readonly off = signal(false);
  /** Somebody asked to hear something while sound was off. */
  readonly asking = signal(false);
  readonly softened = signal(false);
  duration = 0;
  private channels: readonly string[] = [];
  private gains: GainNode[] = [];
  private context: AudioContext | null = null;
  private softener: Softener | null = null;
  private asked = false;

  constructor(private readonly id: string) {
    this.audio.preload = "none";
    this.audio.addEventListener("play", () => (this.playing.value = true));
    this.audio.addEventListener("pause", () => (this.playing.value = false));
    this.audio.addEventListener("timeupdate", () => this.goOn());
    this.audio.addEventListener("seeking", () => (this.at.value = this.audio.currentTime));
    this.audio.addEventListener("playing", () => this.watch());
    this.audio.addEventListener("ended", () => {
      if (goesBack(this.loop.value, this.at.value - 0.01, this.duration)) void this.play(this.loop.value?.from);
    });
    this.audio.addEventListener("error", () => (this.failed.value = true));
  }

  /** Which track each channel holds, and how long the call is. */
  load(channels: readonly string[], duration: number): void {
    this.duration = duration;
    if (this.channels.length > 0) return;
    this.channels = channels;
    this.audio.src = `/api/calls/${this.id}/playback.wav`;
    this.audio.defaultPlaybackRate = this.speed.value;
    this.audio.playbackRate = this.speed.value;
    if (this.at.value > 0) this.audio.currentTime = this.at.value;
    if (this.asked) void this.play();
  }

  async play(from?: number): Promise<void> {
    if (from !== undefined) this.seek(from);
    this.asking.value = this.off.value;
    if (this.off.value) return;
    if (this.channels.length === 0) {
      this.asked = true; // begins as soon as it is known what there is to play
      return;
    }
    this.connect();
    await this.context?.resume();
    try {
      await this.audio.play();
      this.failed.value = false;
    } catch (fault) {
      if (fault instanceof DOMException && fault.name === "AbortError") return; // paused again before it began
      this.failed.value = true;
    }
  }

  pause(): void {
    this.audio.pause();
  }

  toggle(): void {
    if (this.audio.paused) void this.play();
    else this.pause();
  }

  seek(seconds: number): void {
    const to = Math.max(0, this.duration > 0 ? Math.min(seconds, this.duration - 0.01) : seconds);
    if (this.channels.length > 0) this.audio.currentTime = to;
    this.at.value = to;
  }

  /** Hear this stretch over and over, from its beginning. */
  repeat(loop: Loop | null): void {
    this.loop.value = loop;
    if (loop) this.seek(loop.from);
  }

  skip(seconds: number): void {
    this.seek(this.at.value + seconds);
  }

  setSpeed(speed: number): void {
    this.speed.value = speed;
    this.audio.playbackRate = speed;
    remember("speed", speed === 1 ? null : String(speed));
  }

  stepSpeed(by: 1 | -1): void {
    const now = speeds.findIndex((speed) => speed >= this.speed.value);
    const next = speeds[Math.min(Math.max(0, now + by), speeds.length - 1)];
    if (next !== undefined) this.setSpeed(next);
  }

  setSide(side: Side): void {
    this.side.value = side;
    this.mix();
  }

  setSoftened(on: boolean): void {
    this.softened.value = on;
    this.softener?.set(on);
  }

  setHeard(party: "caller" | "operator", on: boolean): void {
    this.heard.value = { ...this.heard.value, [party]: on };
    this.mix();
  }

  close(): void {
    this.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    this.channels = [];
    this.gains = [];
    void this.context?.close();
    this.context = null;
    this.softener = null;
  }

  /** A context may begin only after a person has acted; so this waits for the first play. */
  private connect(): void {
    if (this.context) return;
    this.context = new AudioContext();
    const source = this.context.createMediaElementSource(this.audio);
    const splitter = this.context.createChannelSplitter(Math.max(1, this.channels.length));
    source.connect(splitter);
    const softener = new Softener(this.context);
    this.softener = softener;
    softener.set(this.softened.value);
    this.gains = this.channels.map((_, channel) => {
      const gain = new GainNode(this.context as AudioContext, { gain: 0, channelCount: 1, channelCountMode: "explicit" });
      splitter.connect(gain, channel);
      gain.connect(softener.input);
      return gain;
    });
    this.mix();
  }

  private mix(): void {
    const now = this.context?.currentTime ?? 0;
    const { caller, operator } = this.heard.value;
    const operatorTrack = this.side.value === "raw" ? "operator.rx" : "operator.tx";
    this.channels.forEach((track, channel) => {
      const on = track === "caller.rx" ? caller : operator && track === operatorTrack;
      this.gains[channel]?.gain.setTargetAtTime(on ? 1 : 0, now, FADE_S / 3);
    });
  }

  /** The position, at each painted frame while it plays. */
  private watch(): void {
    const step = () => {
      if (this.audio.paused) return;
      this.goOn();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** To where the sound is; from the end of a stretch that is repeated, to its beginning. */
  private goOn(): void {
    const now = this.audio.currentTime;
    const loop = this.loop.value;
    if (loop && !this.audio.paused && goesBack(loop, this.at.value, now)) this.seek(loop.from);
    else this.at.value = now;
  }
}
