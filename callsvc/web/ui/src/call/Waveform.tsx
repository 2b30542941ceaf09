/** Both parties as two lanes on one time line. For assistive technology it is a slider; gaps are hatched and named. */
import { useEffect, useRef } from "preact/hooks";
import { effect, useComputed } from "@preact/signals";
import WaveSurfer from "wavesurfer.js";
import type { Shape } from "../api/client";
import { clock, number } from "../format";
import { t } from "../locale";
import { colour, painted } from "../theme";
import { causeName, trackName } from "./Facts";
import { between, type Loop } from "./repeating";
import type { Sound } from "./sound";

type Peaks = Shape<"Peaks">;
type Track = Shape<"TrackOut">;
const LANE_PX = 84;
const STEP_S = 5;
/** A hand that only points moves this much, too. */
const STILL_PX = 4;

function nonce(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "";
}

/** The loudest of all tracks: one scale for all, so that what is quieter looks quieter. */
function loudest(peaks: Peaks): number {
  return peaks.lanes.reduce((most, lane) => Math.max(most, lane.high.reduce((a, b) => Math.max(a, b), 0), -lane.low.reduce((a, b) => Math.min(a, b), 0)), 8);
}

/** Lowest and highest of each stretch, one after the other: the outline that wavesurfer draws. */
function outline(lane: Peaks["lanes"][number], full: number): Float32Array {
  const line = new Float32Array(lane.low.length * 2);
  lane.low.forEach((low, n) => {
    line[2 * n] = (0.94 * low) / full;
    line[2 * n + 1] = (0.94 * (lane.high[n] ?? 0)) / full;
  });
  return line;
}

type Props = { peaks: Peaks; tracks: Track[]; sound: Sound; shown: readonly string[] };

export function Waveform({ peaks, tracks, sound, shown }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const lanes = shown.flatMap((name) => peaks.lanes.filter((lane) => lane.track === name));
  useEffect(() => {
    if (!box.current) return undefined;
    const colours = () => lanes.map((lane) => {
      const token = lane.track === "caller.rx" ? "--caller" : lane.track === "operator.rx" ? "--raw" : "--operator";
      return { waveColor: colour(`${token}-wave`), progressColor: colour(token), height: LANE_PX };
    });
    const full = loudest(peaks);
    const surfer = WaveSurfer.create({
      container: box.current,
      peaks: lanes.map((lane) => outline(lane, full)),
      duration: peaks.duration_ms / 1000,
      splitChannels: colours(),
      height: LANE_PX,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      cursorColor: colour("--text"),
      cursorWidth: 2,
      normalize: false,
      interact: false,
      cspNonce: nonce(),
    });
    const stopFollowing = effect(() => surfer.setTime(sound.at.value));
    const stopPainting = effect(() => {
      if (painted.value > 0) surfer.setOptions({ splitChannels: colours(), cursorColor: colour("--text") });
    });
    return () => {
      stopFollowing();
      stopPainting();
      surfer.destroy();
    };
  }, [peaks, shown.join()]);

  const seconds = peaks.duration_ms / 1000;
  const whole = useComputed(() => Math.round(sound.at.value)).value;
  const at = useComputed(() => clock(sound.at.value)).value;
  // Pointed at, the sound goes there; drawn over, the stretch is repeated.
  const pointed = useRef<{ x: number; at: number; before: Loop | null; drags: boolean } | null>(null);
  const place = (event: PointerEvent) => {
    const lane = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - lane.left) / lane.width)) * seconds;
  };
  const point = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    pointed.current = { x: event.clientX, at: place(event), before: sound.loop.value, drags: false };
  };
  const draw = (event: PointerEvent) => {
    const from = pointed.current;
    if (!from || (!from.drags && Math.abs(event.clientX - from.x) <= STILL_PX)) return;
    from.drags = true;
    sound.loop.value = between(from.at, place(event));
  };
  const lift = (event: PointerEvent) => {
    const from = pointed.current;
    pointed.current = null;
    if (!from) return;
    if (from.drags) sound.repeat(sound.loop.value ?? from.before);
    else sound.seek(place(event));
  };
  const leave = () => {
    if (pointed.current) sound.loop.value = pointed.current.before;
    pointed.current = null;
  };
  const onKey = (event: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S, PageDown: -60, PageUp: 60 };
    const step = by[event.key];
    if (step !== undefined) sound.skip(step);
    else if (event.key === "Home") sound.seek(0);
    else if (event.key === "End") sound.seek(seconds);
    else return;
    event.preventDefault();
  };
  return (
    <div class="waveform">
      <div class="lane-names" aria-hidden="true">
        {lanes.map((lane) => <span key={lane.track} class={lane.track.replace(".", "-")}>{trackName(lane.track)}</span>)}
      </div>
      <div class="lanes" role="slider" tabIndex={0} aria-label={t("player.position")} aria-valuemin={0} aria-valuemax={Math.round(seconds)}
        aria-valuenow={whole} aria-valuetext={t("player.position.text", { at, of: clock(seconds) })} onKeyDown={onKey}
        onPointerDown={point} onPointerMove={draw} onPointerUp={lift} onPointerCancel={leave}>
        <div ref={box} class="wave" />
        {lanes.map((lane, n) => {
          const track = tracks.find((candidate) => candidate.name === lane.track);
          return track?.gaps.map((gap) => {
            const from = gap.start / track.rate;
            const length = gap.length / track.rate;
            return (
              <div key={`${lane.track} ${gap.start}`} class={`gap ${gap.cause}`} title={t("gap.title", { cause: causeName(gap.cause), at: clock(from), s: number(length, 1) })}
                style={{ left: `${(100 * from) / seconds}%`, width: `${(100 * length) / seconds}%`, top: `${n * LANE_PX}px`, height: `${LANE_PX}px` }} />
            );
          });
        })}
        <Repeated sound={sound} seconds={seconds} />
      </div>
      <div class="lane-times" aria-hidden="true"><span>{clock(0)}</span><span>{clock(seconds / 2)}</span><span>{clock(seconds)}</span></div>
    </div>
  );
}

/** The stretch that is repeated, over both lanes; a line where one is begun. */
function Repeated({ sound, seconds }: { sound: Sound; seconds: number }) {
  const loop = sound.loop.value;
  if (!loop) return null;
  const length = loop.to === null ? 0 : loop.to - loop.from;
  return <div class={loop.to === null ? "repeated begun" : "repeated"} style={{ left: `${(100 * loop.from) / seconds}%`, width: `${(100 * length) / seconds}%` }} />;
}
