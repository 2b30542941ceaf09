/** Headset and speaker: which there are, which were chosen, how loud the microphone is, a tone to hear.

The microphone is asked for bare: what the browser would do to the sound (cancel echo, suppress noise, level it) would be
done before ours, and some of it in spite of being asked not to. What is still on is said, and so is who else filters. */
import { signal } from "@preact/signals";
import { remember, remembered } from "../remembered";
import filters from "./filters.json";
import { filterOf, Pauses } from "./filters";

export type Device = { id: string; label: string };
export type Trouble = "refused" | "absent" | "busy";
const BROWSERS = ["echoCancellation", "noiseSuppression", "autoGainControl", "voiceIsolation"] as const;
/** Something that works on the sound before it comes here; `by` is the program or headset, where its name is known. */
export type Doing = { what: (typeof BROWSERS)[number] | "gate" } | { what: "choose" | "switch_off"; by: string };

export const microphones = signal<Device[]>([]);
export const speakers = signal<Device[]>([]);
export const microphone = signal(remembered("microphone") ?? "");
export const speaker = signal(remembered("speaker") ?? "");
/** The microphone that is open now, and what could not be had. */
export const stream = signal<MediaStream | null>(null);
export const trouble = signal<Trouble | null>(null);
/** What the browser, the headset or a program does to the sound in spite of all. */
export const doing = signal<Doing[]>([]);
/** What of it need not be said again, by microphone. */
const known = signal<string[]>(JSON.parse(remembered("filters") ?? "[]") as string[]);
/** Loudness of the microphone, 0 to 1, about thirty times a second while somebody looks. */
export const level = signal(0);

const FLOOR_DB = -60;
const MOST_KNOWN = 40;
const TONE_HZ = 440;
const TONE_S = 1.2;
const TONE_GAIN = 0.12;

export async function list(): Promise<void> {
  const found = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) => found.filter((one) => one.kind === kind && one.deviceId !== "")
    .map((one) => ({ id: one.deviceId, label: one.label }));
  microphones.value = of("audioinput");
  speakers.value = of("audiooutput");
}

function why(fault: unknown): Trouble {
  const name = fault instanceof DOMException ? fault.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "absent" : "busy";
}

function ask(id: string): Promise<MediaStream> {
  const bare: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
  return navigator.mediaDevices.getUserMedia({ audio: id ? { ...bare, deviceId: { exact: id } } : bare });
}

/** The chosen microphone, or any when that one is gone; null when there is none to be had, and `trouble` says why. */
export async function open(): Promise<MediaStream | null> {
  const alive = stream.value?.getAudioTracks()[0];
  if (alive?.readyState === "live") return stream.value;
  try {
    let got: MediaStream;
    try {
      got = await ask(microphone.value);
    } catch (fault) {
      if (!microphone.value || why(fault) !== "absent") throw fault;
      got = await ask("");
    }
    const track = got.getAudioTracks()[0];
    const told = (track?.getSettings() ?? {}) as Record<string, unknown>;
    const filter = filterOf(filters, track?.label ?? "");
    doing.value = [
      ...BROWSERS.filter((name) => told[name] === true).map((what) => ({ what })),
      ...(filter ? [{ what: filter.todo as "choose" | "switch_off", by: filter.name }] : []),
    ];
    track?.addEventListener("ended", () => {
      if (stream.value === got) stream.value = null;
      trouble.value = "absent";
    });
    trouble.value = null;
    stream.value = got;
    await list();
    return got;
  } catch (fault) {
    trouble.value = why(fault);
    stream.value = null;
    return null;
  }
}

function mark(one: Doing): string {
  const device = stream.value?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  return [device, one.what, "by" in one ? one.by : ""].join(" ");
}

/** What is done to the sound and is still to be said. */
export function untold(): Doing[] {
  return doing.value.filter((one) => !known.value.includes(mark(one)));
}

/** It is known: not to be said again for this microphone. */
export function dismiss(): void {
  known.value = [...new Set([...known.value, ...doing.value.map(mark)])].slice(-MOST_KNOWN);
  remember("filters", JSON.stringify(known.value));
}

export function close(): void {
  stream.value?.getTracks().forEach((track) => track.stop());
  stream.value = null;
}

export async function chooseMicrophone(id: string): Promise<MediaStream | null> {
  microphone.value = id;
  remember("microphone", id || null);
  const before = stream.value;
  stream.value = null;
  const got = await open();
  before?.getTracks().forEach((track) => track.stop());
  return got;
}

export function chooseSpeaker(id: string): void {
  speaker.value = id;
  remember("speaker", id || null);
}

/** Let an element be heard in the chosen speaker; where that cannot be chosen, in the machine's own. */
export async function direct(element: HTMLAudioElement): Promise<void> {
  const able = element as HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };
  try {
    await able.setSinkId?.(speaker.value);
  } catch {
    await able.setSinkId?.("");
  }
}

/** A short soft tone in the chosen speaker. */
export async function tone(): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const gain = new GainNode(context, { gain: 0 });
  const voice = new OscillatorNode(context, { frequency: TONE_HZ });
  voice.connect(gain).connect(out);
  gain.gain.setTargetAtTime(TONE_GAIN, context.currentTime, 0.03);
  gain.gain.setTargetAtTime(0, context.currentTime + TONE_S, 0.06);
  const element = new Audio();
  element.srcObject = out.stream;
  await direct(element);
  voice.start();
  voice.stop(context.currentTime + TONE_S + 0.4);
  await element.play();
  await new Promise((done) => voice.addEventListener("ended", done));
  element.srcObject = null;
  await context.close();
}

/** Measure the loudness of a microphone until the returned function is called. */
export function measure(of: MediaStream): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(of).connect(analyser);
  const block = new Float32Array(analyser.fftSize);
  let frame = 0;
  const pauses = new Pauses();
  const step = () => {
    analyser.getFloatTimeDomainData(block);
    const power = block.reduce((sum, x) => sum + x * x, 0) / block.length;
    const db = 10 * Math.log10(power + 1e-12);
    if (pauses.hear(db, performance.now()) && !doing.value.some((one) => one.what === "gate")) doing.value = [...doing.value, { what: "gate" }];
    const now = Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
    level.value = now > level.value ? now : level.value * 0.9 + now * 0.1;
    frame = requestAnimationFrame(step);
  };
  void context.resume();
  frame = requestAnimationFrame(step);
  return () => {
    cancelAnimationFrame(frame);
    level.value = 0;
    void context.close();
  };
}

navigator.mediaDevices?.addEventListener("devicechange", () => void list());
