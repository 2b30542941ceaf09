/** How the line was while the call went on: how much of each side's sound never came to the node, and what the operator's browser measured. */
import { trackName } from "../call/Facts";
import type { Sound } from "../call/sound";
import type { Shape } from "../api/client";
import { clock, number, percent } from "../format";
import { t } from "../locale";
import { Browser } from "./Browser";

type Track = Shape<"TrackOut">;
type Lost = { from: number; seconds: number };
const WIDE = 1000;
const PARTS = 100;
/** From this share on, speech is hard to follow; the bar then has its whole height. */
const FULL = 0.2;
const NEAR_S = 5;

/** What came from each side, as it came. Where the microphone was kept it lost the same as what was made of it. */
function sides(tracks: readonly Track[]): Track[] {
  const of = (name: string) => tracks.find((one) => one.name === name);
  return [of("caller.rx"), of("operator.tx") ?? of("operator.rx")].filter((one): one is Track => one !== undefined);
}

function losses(track: Track): Lost[] {
  return track.gaps.filter((gap) => gap.cause === "loss").map((gap) => ({ from: gap.start / track.rate, seconds: gap.length / track.rate }));
}

/** Losses that follow close upon each other are one trouble. */
export function troubles(lost: readonly Lost[]): Lost[] {
  const found: (Lost & { to: number })[] = [];
  for (const one of lost) {
    const last = found.at(-1);
    if (last && one.from - last.to <= NEAR_S) {
      last.seconds += one.seconds;
      last.to = one.from + one.seconds;
    } else found.push({ ...one, to: one.from + one.seconds });
  }
  return found;
}

type Props = { call: Shape<"CallDetail">; sound: Sound; seen: readonly Shape<"ConnectionSeen">[] | undefined };

export function Connection({ call, sound, seen }: Props) {
  const shown = sides(call.tracks);
  if (shown.length === 0 && !seen?.length) return null;
  return (
    <section class="card connection" aria-labelledby="connection">
      <h2 id="connection">{t("review.line")}</h2>
      {shown.length > 0 && (
        <div class="line-part">
          <h3>{t("review.line.node")}</h3>
          <p class="hint">{t("review.line.hint")}</p>
          {shown.map((track) => <Side key={track.name} track={track} sound={sound} />)}
        </div>
      )}
      {seen && (
        <div class="line-part">
          <h3>{t("review.browser")}</h3>
          {seen.length > 0 && <p class="hint">{t("review.browser.hint")}</p>}
          <Browser seen={seen} long={Math.max(1, call.length_ms ?? 0, seen.at(-1)?.at_ms ?? 0)} sound={sound} />
        </div>
      )}
    </section>
  );
}

function Side({ track, sound }: { track: Track; sound: Sound }) {
  const long = Math.max(1, track.samples / track.rate);
  const lost = losses(track);
  const all = lost.reduce((sum, one) => sum + one.seconds, 0);
  const share = Array.from({ length: PARTS }, () => 0);
  for (const one of lost) {
    const n = Math.min(PARTS - 1, Math.floor((PARTS * one.from) / long));
    share[n] = (share[n] ?? 0) + (one.seconds * PARTS) / long;
  }
  return (
    <div class="line-side">
      <p><strong>{trackName(track.name)}</strong> {all === 0 ? t("review.line.whole") : t("review.line.lost", { s: number(all, 1), share: percent((100 * all) / long) })}</p>
      <svg class="line-bar" viewBox={`0 0 ${WIDE} 40`} preserveAspectRatio="none" aria-hidden="true">
        {share.map((one, n) => one > 0 && <rect key={n} x={(n * WIDE) / PARTS} width={WIDE / PARTS - 1} y={40 - 40 * Math.min(1, Math.max(0.1, one / FULL))} height={40} />)}
      </svg>
      {lost.length > 0 && (
        <ul class="plain moments-list" aria-label={t("review.line.where", { who: trackName(track.name) })}>
          {troubles(lost).map((one) => <li key={one.from}><button type="button" class="link clock" onClick={() => sound.seek(Math.max(0, one.from - 1))}>{clock(one.from)}<span class="unseen"> {trackName(track.name)}</span></button> <span>{t("review.line.one", { s: number(one.seconds, 1) })}</span></li>)}
        </ul>
      )}
    </div>
  );
}
