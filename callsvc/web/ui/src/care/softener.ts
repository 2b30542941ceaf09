/** Softened listening: what hurts is taken out of the way, what is said stays.

    in ─┬─► as it is ───────────────────────────────────────────────┬─► loudspeaker
        └─► 160 Hz to 3 kHz ─► levelled ─► quieter ─────────────────┘

Shouts come down to the level of speech, and sharp sounds lose their edge. The recording is not touched. */
const LOWEST_HZ = 160;
const HIGHEST_HZ = 3000;
/** The compressor lifts everything by itself; this takes the lift away again, and more. */
const QUIETER = 0.16;
const FADE_S = 0.03;

export class Softener {
  readonly input: GainNode;
  private readonly plain: GainNode;
  private readonly soft: GainNode;

  constructor(private readonly context: AudioContext) {
    this.input = new GainNode(context);
    this.plain = new GainNode(context, { gain: 1 });
    this.soft = new GainNode(context, { gain: 0 });
    const low = new BiquadFilterNode(context, { type: "highpass", frequency: LOWEST_HZ });
    const high = new BiquadFilterNode(context, { type: "lowpass", frequency: HIGHEST_HZ });
    const sharp = new BiquadFilterNode(context, { type: "lowpass", frequency: HIGHEST_HZ });
    const level = new DynamicsCompressorNode(context, { threshold: -45, knee: 12, ratio: 14, attack: 0.004, release: 0.3 });
    this.input.connect(this.plain).connect(context.destination);
    this.input.connect(low).connect(high).connect(sharp).connect(level).connect(this.soft).connect(context.destination);
  }

  set(on: boolean): void {
    const now = this.context.currentTime;
    this.plain.gain.setTargetAtTime(on ? 0 : 1, now, FADE_S);
    this.soft.gain.setTargetAtTime(on ? QUIETER : 0, now, FADE_S);
  }
}
