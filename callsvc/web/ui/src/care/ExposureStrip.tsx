/** What may be hard to hear, before one hears it: a strip under the sound and the same as a list. It is a hint, and says so. */
import { api, type Shape } from "../api/client";
import type { Sound } from "../call/sound";
import { clock, number } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { Fault } from "../parts/Notice";

type Stretch = Shape<"HardStretch">;
const WIDE = 1000;
/** Seconds before a stretch at which one begins when it is chosen. */
const BEFORE_S = 2;

function words(one: Stretch): string {
  const kind = t(`review.strip.${one.kind}`);
  return one.leg ? t("review.strip.whose", { kind, leg: t(`leg.${one.leg}`) }) : kind;
}

/** The place in the call: it alone is drawn anew with each frame. */
function Now({ sound, long }: { sound: Sound; long: number }) {
  const x = (WIDE * sound.at.value * 1000) / long;
  return <line class="now" x1={x} x2={x} y1="0" y2="40" />;
}

export function ExposureStrip({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const found = useResource((signal) => api.get("/api/calls/{call_id}/exposure", { path: { call_id: call.id }, signal }), [call.id]);
  if (found.problem && !found.data) return <Fault problem={found.problem} retry={found.reload} />;
  if (!found.data) return <p class="hint" role="status">{t("review.strip.busy")}</p>;
  const { stretches } = found.data;
  const long = Math.max(1, call.length_ms ?? 0, ...stretches.map((one) => one.end_ms));
  const x = (ms: number) => (WIDE * ms) / long;
  return (
    <div class="ahead">
      <p class="ahead-lead">{stretches.length === 0 ? t("review.strip.none") : tn("review.strip.some", stretches.length)} <span class="hint">{t("review.strip.hint")}</span></p>
      {stretches.length > 0 && (
        <>
          <svg class="ahead-bar" viewBox={`0 0 ${WIDE} 40`} preserveAspectRatio="none" aria-hidden="true">
            <defs>
              <pattern id="ahead-waves" width="8" height="8" patternUnits="userSpaceOnUse"><path d="M0 6l4-4 4 4" /></pattern>
              <pattern id="ahead-dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1.2" /></pattern>
            </defs>
            <rect class="ground" x="0" y="0" width={WIDE} height="40" />
            {stretches.map((one) => (
              <rect key={`${one.kind} ${one.start_ms} ${one.leg}`} class={one.kind} x={x(one.start_ms)} width={Math.max(3, x(one.end_ms - one.start_ms))}
                y={one.leg === "operator" ? 20 : 0} height={one.leg ? 20 : 40} />
            ))}
            <Now sound={sound} long={long} />
          </svg>
          <ul class="ahead-legend" aria-hidden="true">
            {(["loud", "crying", "silent"] as const).filter((kind) => stretches.some((one) => one.kind === kind)).map((kind) => (
              <li key={kind}><svg width="22" height="14"><rect class={kind} width="22" height="14" rx="2" /></svg>{t(`review.strip.${kind}`)}</li>
            ))}
          </ul>
          <details>
            <summary>{t("review.strip.list")}<span class="count">{stretches.length}</span></summary>
            <ul class="plain ahead-list">
              {stretches.map((one) => (
                <li key={`${one.kind} ${one.start_ms} ${one.leg}`}>
                  <button type="button" class="link clock" onClick={() => sound.seek(Math.max(0, one.start_ms / 1000 - BEFORE_S))}>{clock(one.start_ms / 1000)}<span class="unseen"> {words(one)}</span></button>{" "}
                  <span aria-hidden="true">{words(one)},</span> {number((one.end_ms - one.start_ms) / 1000, 0)} s
                </li>
              ))}
            </ul>
          </details>
        </>
      )}
    </div>
  );
}
