/** The operator's leg of one call: WebRTC with the media node, its data channel, and how good the connection is.

The node is spoken with directly: once a leg is joined, nothing else of the service is needed for the call. */
import { signal } from "@preact/signals";
import { Channel } from "./channel";
import { Measure, type Quality } from "./connection";
import { direct } from "./devices";

export type { Hello, NodeState } from "./channel";
/** joining: on its way in. joined: connected with the node. broken: the connection is lost, and is tried again. over: done. */
export type Phase = "joining" | "joined" | "broken" | "over";
export type { Quality } from "./connection";

export class Refused extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(code);
  }
}

const GATHER_MS = 2000;
const LOOK_MS = 2000;
/** The connection is told to the node with each so manieth look. */
const TELL_EACH = 5;
const PATIENCE_MS = 4000;

export class Leg {
  readonly phase = signal<Phase>("joining");
  readonly channel = new Channel((cause) => this.bye(cause));
  readonly quality = signal<Quality | null>(null);
  readonly cause = signal<string | null>(null);
  readonly ear = new Audio();
  onBroken: () => void = () => undefined;
  private peer: RTCPeerConnection | null = null;
  private looking: number | undefined;
  private doubting: number | undefined;
  private measure = new Measure();
  private looks = 0;

  constructor(readonly call: string) {
    this.ear.autoplay = true;
  }

  /** Join, or join again with a fresh token. Raises `Refused` with the node's own code. */
  async join(url: string, token: string, microphone: MediaStream): Promise<void> {
    this.drop();
    this.phase.value = "joining";
    const peer = (this.peer = new RTCPeerConnection());
    peer.ontrack = (event) => {
      this.ear.srcObject = new MediaStream([event.track]);
      void direct(this.ear).then(() => this.ear.play()).catch(() => undefined);
    };
    for (const track of microphone.getAudioTracks()) peer.addTrack(track, microphone);
    this.channel.use(peer.createDataChannel("callsvc"));
    peer.onconnectionstatechange = () => this.changed(peer);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    let answer: Response;
    try {
      answer = await fetch(`${url.replace(/\/$/, "")}/whip/${this.call}/operator`, {
        method: "POST",
        body: peer.localDescription?.sdp ?? "",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
        credentials: "omit",
      });
    } catch {
      this.drop();
      throw new Refused(0, "unreachable");
    }
    if (answer.status !== 201) {
      this.drop();
      const told = (await answer.json().catch(() => ({}))) as { code?: string };
      throw new Refused(answer.status, told.code ?? "fault");
    }
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    this.looking = window.setInterval(() => void this.look(), LOOK_MS);
  }

  /** Another microphone for the call that goes on. */
  async use(microphone: MediaStream): Promise<void> {
    const track = microphone.getAudioTracks()[0] ?? null;
    await this.peer?.getSenders()[0]?.replaceTrack(track);
  }

  hangUp(): void {
    // A node that is told hangs up; one that cannot be told sees the connection go.
    if (!this.channel.say({ t: "hangup" })) this.over("hangup");
  }

  over(cause: string): void {
    if (this.phase.value === "over") return;
    this.cause.value = cause;
    this.phase.value = "over";
    this.drop();
    this.channel.close();
  }

  private bye(cause: string): void {
    // Another page of the same person has the leg now: this one lets go of it, and the call goes on.
    this.over(cause);
  }

  private changed(peer: RTCPeerConnection): void {
    if (peer !== this.peer || this.phase.value === "over") return;
    clearTimeout(this.doubting);
    if (peer.connectionState === "connected") this.phase.value = "joined";
    else if (peer.connectionState === "failed" || peer.connectionState === "closed") this.broken();
    // A short loss mends itself; a longer one needs a new connection.
    else if (peer.connectionState === "disconnected") this.doubting = window.setTimeout(() => this.broken(), PATIENCE_MS);
  }

  private broken(): void {
    if (this.phase.value === "over") return;
    this.drop();
    this.phase.value = "broken";
    this.onBroken();
  }

  private drop(): void {
    clearInterval(this.looking);
    clearTimeout(this.doubting);
    this.channel.use(null);
    const peer = this.peer;
    this.peer = null;
    peer?.close();
    this.ear.srcObject = null;
    this.quality.value = null;
    this.measure = new Measure();
    this.looks = 0;
  }

  private async look(): Promise<void> {
    const peer = this.peer;
    if (!peer) return;
    const stats = [...(await peer.getStats()).values()] as Record<string, unknown>[];
    if (peer !== this.peer) return;
    this.quality.value = this.measure.look(stats) ?? this.quality.value;
    this.looks += 1;
    if (this.looks % TELL_EACH !== 0) return;
    const stretch = this.measure.stretch();
    if (stretch) this.channel.say({ t: "connection", ...stretch });
  }
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => {
    const enough = () => {
      clearTimeout(patience);
      peer.removeEventListener("icegatheringstatechange", look);
      done();
    };
    const look = () => peer.iceGatheringState === "complete" && enough();
    const patience = window.setTimeout(enough, GATHER_MS);
    peer.addEventListener("icegatheringstatechange", look);
  });
}
