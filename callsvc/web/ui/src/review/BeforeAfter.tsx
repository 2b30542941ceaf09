/** The operator's sound before and after, at the same instant: two pictures on one clock, each stroke between them, one key to switch. */
import { useComputed } from "@preact/signals";
import { api, type Shape } from "../api/client";
import type { Sound } from "../call/sound";
import { clock, decibel, number } from "../format";
import { hint, useKeys } from "../keys";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { State } from "../parts/State";
import { walkRows } from "./rows";

type Stroke = Shape<"StrokeOut">;
type Side = "before" | "after";
const sides: readonly Side[] = ["before", "after"];
const WIDE = 1000;

export function BeforeAfter({ call, sound, replay }: { call: Shape<"CallDetail">; sound: Sound; replay: Shape<"Replay"> }) {
  const long = call.length_ms ?? 0;
  const size = replay.window_ms;
  const last = Math.max(0, Math.floor((long - 1) / size) * size);
  const from = useComputed(() => Math.min(last, Math.floor((sound.at.value * 1000) / size) * size)).value;
  const kept = replay.raw_kept;
  const found = useResource(
    async (signal) => (kept ? api.get("/api/calls/{call_id}/strokes", { path: { call_id: call.id }, query: { from_ms: from }, signal }) : null),
    [call.id, from, kept],
  );
  const strokes = found.data?.from_ms === from ? found.data.strokes : null;
  const jump = (by: 1 | -1) => {
    const now = sound.at.value * 1000;
    const to = by > 0 ? strokes?.find((one) => one.at_ms > now + 20) : strokes?.findLast((one) => one.at_ms < now - 20);
    if (to) sound.seek(to.at_ms / 1000);
  };
  useKeys({ strokeAfter: () => jump(1), strokeBefore: () => jump(-1) });
  const page = (to: number) => sound.seek(Math.min(Math.max(0, to), last) / 1000);
  return (
    <section class="card before-after" aria-labelledby="before-after">
      <div class="ba-head">
        <h2 id="before-after">{t("review.ba.title")}</h2>
        <p class="ba-window">
          <button type="button" class="button small" disabled={from <= 0} onClick={() => page(from - size)} aria-label={t("review.ba.earlier")}><Icon name="left" size={16} /></button>
          <span class="clock">{clock(from / 1000)}–{clock(Math.min(from + size, long) / 1000)}</span>
          <button type="button" class="button small" disabled={from >= last} onClick={() => page(from + size)} aria-label={t("review.ba.later")}><Icon name="arrow" size={16} /></button>
        </p>
      </div>
      {!kept && (
        <Notice tone="quiet" title={t("review.ba.none")}>
          <p>{t("review.ba.none.hint")}</p>
          <p>{t("review.ba.none.policy")} <code>{`[media] keep_raw = "${replay.keep_raw}"`}</code></p>
        </Notice>
      )}
      {kept && <p>{t("review.ba.how", { key: hint("side") })}</p>}
      {sides.filter((side) => kept || side === "after").map((side) => (
        <Panel key={`${side} ${from}`} call={call.id} side={side} from={from} size={size} sound={sound} strokes={strokes ?? []} switches={kept} />
      ))}
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      {kept && (strokes === null ? <p class="hint" role="status">{t("review.ba.busy")}</p> : <Strokes strokes={strokes} sound={sound} />)}
    </section>
  );
}

type PanelProps = { call: string; side: Side; from: number; size: number; sound: Sound; strokes: readonly Stroke[]; switches: boolean };

function Panel({ call, side, from, size, sound, strokes, switches }: PanelProps) {
  const heard = (side === "before") === (sound.side.value === "raw");
  const x = (ms: number) => (WIDE * (ms - from)) / size;
  return (
    <figure class={heard ? "panel heard" : "panel"}>
      <figcaption>
        <button type="button" class="button small" aria-pressed={heard} disabled={!switches} onClick={() => sound.setSide(side === "before" ? "raw" : "cleaned")}>
          <span class="letter">{side === "before" ? "A" : "B"}</span>{t(`review.ba.${side}`)}</button>
        <span class="aside">{heard ? t("review.ba.scale.now") : t("review.ba.scale")}</span>
      </figcaption>
      <div class="panel-picture" onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        sound.seek((from + (size * (event.clientX - box.left)) / box.width) / 1000);
      }}>
        <img src={`/api/calls/${call}/spectrogram/${side}.png?from_ms=${from}`} alt={t(`review.ba.${side}.alt`)} width={1200} height={192} />
        <svg viewBox={`0 0 ${WIDE} 100`} preserveAspectRatio="none" aria-hidden="true">
          {strokes.map((one) => <line key={one.at_ms} class={(side === "before" ? one.audible_before : one.audible_after) ? "stroke audible" : "stroke"}
            x1={x(one.at_ms)} x2={x(one.at_ms)} y1={side === "before" ? 86 : 0} y2={side === "before" ? 100 : 14} />)}
          <Now sound={sound} x={x} />
        </svg>
      </div>
    </figure>
  );
}

/** It alone is drawn anew with each frame. */
function Now({ sound, x }: { sound: Sound; x: (ms: number) => number }) {
  const now = x(sound.at.value * 1000);
  return now >= 0 && now <= WIDE ? <line class="now" x1={now} x2={now} y1="0" y2="100" /> : null;
}

function Strokes({ strokes, sound }: { strokes: readonly Stroke[]; sound: Sound }) {
  if (strokes.length === 0) return <p class="empty">{t("review.strokes.none")}</p>;
  const judged = strokes.filter((one) => !one.spoken);
  const count = (of: (one: Stroke) => boolean) => number(judged.filter(of).length);
  return (
    <>
      <p>{tn("review.strokes.some", strokes.length)} {t("review.strokes.judged", {
        judged: number(judged.length), before: count((one) => one.audible_before), after: count((one) => one.audible_after),
      })}</p>
      <div class="strokes-box" tabIndex={0} role="region" aria-label={t("review.strokes.title")}>
        <table class="strokes">
          <caption class="unseen">{t("review.strokes.title")}</caption>
          <thead><tr><th scope="col">{t("review.strokes.at")}</th><th scope="col">{t("review.ba.before")}</th><th scope="col">{t("review.ba.after")}</th><th scope="col">{t("review.strokes.left")}</th></tr></thead>
          <tbody data-arrows onKeyDown={walkRows}>
            {strokes.map((one, n) => (
              <tr key={one.at_ms}>
                <th scope="row"><button type="button" class="link clock" tabIndex={n === 0 ? 0 : -1} onClick={() => sound.seek(one.at_ms / 1000)}>{clock(one.at_ms / 1000)},{Math.floor((one.at_ms % 1000) / 100)}</button></th>
                <td>{decibel(one.before_db)}</td>
                <td>{decibel(one.after_db)}</td>
                <td>{one.spoken ? <State tone="quiet">{t("review.strokes.spoken")}</State>
                  : one.audible_after ? <State tone="warn">{t("review.strokes.heard")}</State> : <State tone="good">{t("review.strokes.unheard")}</State>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
