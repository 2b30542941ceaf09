/** How the operator's browser found the line while the call went on, ten seconds at a time: each figure as a row of bars, and all as a table. */
import type { Sound } from "../call/sound";
import type { Shape } from "../api/client";
import { clock, number } from "../format";
import { t, type Key } from "../locale";
import { walkRows } from "./rows";
import { useState } from "preact/hooks";

type Seen = Shape<"ConnectionSeen">;
type Figure = { name: "lost" | "made_up" | "jitter" | "buffer" | "trip" | "sent_lost" | "sent_jitter"; of: (one: Seen) => number | null; unit: "%" | "ms"; full: number; much: number };

const WIDE = 1000;
/** A stretch that follows a pause is drawn no longer than this. */
const LONG_MS = 12_000;

/** `full`: where the bar has its whole height. `much`: from there on it is seen from afar; the limits of the operator's own screen. */
const figures: readonly Figure[] = [
  { name: "lost", of: (one) => (one.received + one.lost > 0 ? (100 * one.lost) / (one.received + one.lost) : 0), unit: "%", full: 20, much: 1 },
  { name: "made_up", of: (one) => one.made_up_ms, unit: "ms", full: 2000, much: 200 },
  { name: "jitter", of: (one) => one.jitter_ms, unit: "ms", full: 120, much: 30 },
  { name: "buffer", of: (one) => one.buffer_ms, unit: "ms", full: 400, much: 150 },
  { name: "trip", of: (one) => one.trip_ms, unit: "ms", full: 800, much: 250 },
  { name: "sent_lost", of: (one) => one.sent_lost_pct, unit: "%", full: 20, much: 1 },
  { name: "sent_jitter", of: (one) => one.sent_jitter_ms, unit: "ms", full: 120, much: 30 },
];

function said(figure: Figure, value: number | null): string {
  return value === null ? t("facts.unknown") : `${number(value, figure.unit === "%" && value < 10 ? 1 : 0)} ${figure.unit}`;
}

function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

export function Browser({ seen, long, sound }: { seen: readonly Seen[]; long: number; sound: Sound }) {
  const [open, setOpen] = useState(false);
  if (seen.length === 0) return <p class="empty">{t("review.browser.none")}</p>;
  const place = (at_ms: number, of: string, tabIndex = 0) => <button type="button" class="link clock" tabIndex={tabIndex} onClick={() => sound.seek(Math.max(0, at_ms / 1000 - 10))}>{clock(at_ms / 1000)}{of && <span class="unseen"> {of}</span>}</button>;
  return (
    <>
      <div class="browser-figures">
        {figures.map((figure) => <Row key={figure.name} figure={figure} seen={seen} long={long} place={place} />)}
      </div>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{t("review.browser.table")}<span class="count">{seen.length}</span></summary>
        {open && (
          <div class="strokes-box" tabIndex={0} role="region" aria-label={t("review.browser")}>
            <table class="strokes">
              <caption class="unseen">{t("review.browser")}</caption>
              <thead><tr><th scope="col">{t("review.browser.until")}</th>{figures.map((one) => <th key={one.name} scope="col">{name(one)}</th>)}</tr></thead>
              <tbody data-arrows onKeyDown={walkRows}>{seen.map((one, n) => <tr key={one.at_ms}><th scope="row">{place(one.at_ms, "", n === 0 ? 0 : -1)}</th>{figures.map((figure) => <td key={figure.name}>{said(figure, figure.of(one))}</td>)}</tr>)}</tbody>
            </table>
          </div>
        )}
      </details>
    </>
  );
}

function name(figure: Figure): string {
  return t(`review.browser.${figure.name}` as Key);
}

function Row({ figure, seen, long, place }: { figure: Figure; seen: readonly Seen[]; long: number; place: (at_ms: number, of: string) => preact.JSX.Element }) {
  const known = seen.map((one, n) => ({ one, value: figure.of(one), from: Math.max(seen[n - 1]?.at_ms ?? 0, one.at_ms - LONG_MS) }))
    .filter((at): at is { one: Seen; value: number; from: number } => at.value !== null);
  const worst = known.reduce<(typeof known)[number] | null>((most, at) => (most === null || at.value > most.value ? at : most), null);
  const x = (ms: number) => (WIDE * Math.min(ms, long)) / long;
  return (
    <div class="browser-figure">
      <p><strong>{name(figure)}</strong>{" "}
        {worst === null ? t("facts.unknown") : worst.value === 0 ? t("review.browser.never")
          : <>{t("review.browser.words", { usual: said(figure, middle(known.map((at) => at.value))), most: said(figure, worst.value) })} {place(worst.one.at_ms, name(figure))}</>}</p>
      <svg class="line-bar" viewBox={`0 0 ${WIDE} 40`} preserveAspectRatio="none" aria-hidden="true">
        {known.map(({ one, value, from }) => value > 0 && (
          <rect key={one.at_ms} class={value >= figure.much ? "much" : "some"} x={x(from)} width={Math.max(1, x(one.at_ms) - x(from) - 1)}
            y={40 - 40 * Math.min(1, Math.max(0.06, value / figure.full))} height={40} />
        ))}
      </svg>
    </div>
  );
}
