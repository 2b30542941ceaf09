/** How good the connection is, from the browser's own statistics: for the screen every two seconds, and summed up for
whoever listens to the call again later (docs/reference/operator-channel.md). */

export type Quality = { grade: "good" | "fair" | "poor"; lostPct: number; jitterMs: number; roundTripMs: number };
/** What is told of a stretch of the call; whole numbers, null where nothing has told it yet. */
export type Stretch = {
  received: number; lost: number; made_up_ms: number; jitter_ms: number; buffer_ms: number;
  trip_ms: number | null; sent_lost_pct: number | null; sent_jitter_ms: number | null;
};

/** What the browser counts from the beginning of the connection. */
type Counts = { received: number; lost: number; madeUpS: number; heldS: number; heldN: number };
const none: Counts = { received: 0, lost: 0, madeUpS: 0, heldS: 0, heldN: 0 };
type Found = Record<string, unknown>;

function figure(of: Found | undefined, name: string): number | null {
  const value = of?.[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

const whole = (value: number) => Math.max(0, Math.round(value));
const wholeOr = (value: number | null, scale: number) => (value === null ? null : whole(value * scale));

/** Of one connection; one that is made anew counts from nothing again. */
export class Measure {
  private looked = none;
  private told = none;
  private counts = none;
  private jitterMs = 0;
  private tripS: number | null = null;
  private sentLost: number | null = null;
  private sentJitterS: number | null = null;

  /** Take what the browser says now. Null as long as nothing has been received. */
  look(stats: readonly Found[]): Quality | null {
    const inbound = stats.find((one) => one["type"] === "inbound-rtp");
    if (!inbound) return null;
    const outbound = stats.find((one) => one["type"] === "remote-inbound-rtp");
    const pair = stats.find((one) => one["type"] === "candidate-pair" && one["nominated"] === true);
    const rate = figure(inbound, "totalSamplesDuration") ? (figure(inbound, "totalSamplesReceived") ?? 0) / (figure(inbound, "totalSamplesDuration") ?? 1) : 48_000;
    const now: Counts = {
      received: figure(inbound, "packetsReceived") ?? 0,
      lost: Math.max(0, figure(inbound, "packetsLost") ?? 0),
      // Made up in silence is not missed by anybody.
      madeUpS: Math.max(0, (figure(inbound, "concealedSamples") ?? 0) - (figure(inbound, "silentConcealedSamples") ?? 0)) / (rate || 48_000),
      heldS: figure(inbound, "jitterBufferDelay") ?? 0,
      heldN: figure(inbound, "jitterBufferEmittedCount") ?? 0,
    };
    const lost = Math.max(0, now.lost - this.looked.lost);
    const all = now.received - this.looked.received + lost;
    this.looked = this.counts = now;
    this.jitterMs = 1000 * (figure(inbound, "jitter") ?? 0);
    this.tripS = figure(outbound, "roundTripTime") ?? figure(pair, "currentRoundTripTime");
    this.sentLost = figure(outbound, "fractionLost");
    this.sentJitterS = figure(outbound, "jitter");
    const lostPct = all > 0 ? (100 * lost) / all : 0;
    const roundTripMs = 1000 * (this.tripS ?? 0);
    return { grade: grade(lostPct, this.jitterMs, roundTripMs), lostPct, jitterMs: this.jitterMs, roundTripMs };
  }

  /** What has been since this was last asked; null where nothing came. */
  stretch(): Stretch | null {
    const { counts, told } = this;
    if (counts.received === told.received && counts.lost === told.lost) return null;
    this.told = counts;
    const held = counts.heldN - told.heldN;
    return {
      received: whole(counts.received - told.received),
      lost: whole(counts.lost - told.lost),
      made_up_ms: whole(1000 * (counts.madeUpS - told.madeUpS)),
      jitter_ms: whole(this.jitterMs),
      buffer_ms: held > 0 ? whole((1000 * (counts.heldS - told.heldS)) / held) : 0,
      trip_ms: wholeOr(this.tripS, 1000),
      sent_lost_pct: wholeOr(this.sentLost, 100),
      sent_jitter_ms: wholeOr(this.sentJitterS, 1000),
    };
  }
}

/** What people hear: from these on, speech is a little, or a good deal, harder to follow (after ITU-T G.114 and G.1010). */
export function grade(lostPct: number, jitterMs: number, roundTripMs: number): Quality["grade"] {
  if (lostPct >= 5 || jitterMs >= 60 || roundTripMs >= 500) return "poor";
  return lostPct >= 1 || jitterMs >= 30 || roundTripMs >= 250 ? "fair" : "good";
}
