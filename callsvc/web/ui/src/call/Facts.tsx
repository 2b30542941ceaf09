/** What is known of a call without having heard it. */
import type { Shape } from "../api/client";
import { clock, momentWithSeconds, number } from "../format";
import { lookup, t, tn } from "../locale";
import { profileName, recordingSaid, transcriptSaid } from "./words";

type Detail = Shape<"CallDetail">;

export function trackName(track: string): string {
  return lookup(`track.${track}`, track);
}

export function causeName(cause: string): string {
  return lookup(`gap.${cause}`, cause);
}

export function Facts({ call }: { call: Detail }) {
  const rows: [string, string][] = [
    [t("facts.line"), profileName(call.profile)],
    [t("facts.started"), call.started_at ? momentWithSeconds(call.started_at) : t("facts.unknown")],
    [t("facts.ended"), call.ended_at ? momentWithSeconds(call.ended_at) : t("facts.unknown")],
    [t("facts.length"), call.length_ms === null ? t("facts.unknown") : clock(call.length_ms / 1000)],
    [t("facts.cause"), call.cause ? lookup(`cause.${call.cause}`, call.cause) : t("facts.unknown")],
    [t("facts.recording"), recordingSaid(call).words],
    [t("facts.transcript"), transcriptSaid(call).words],
    [t("facts.id"), call.id],
  ];
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{t("facts.title")}</h2>
      <div class="facts-grid">
        <dl class="facts card">
          {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd class={name === t("facts.id") ? "id" : ""}>{value}</dd></div>)}
        </dl>
        <div class="card">
          <h3>{t("facts.legs")}</h3>
          {call.legs.length === 0 && <p class="empty">{t("facts.legs.none")}</p>}
          <ul class="plain">
            {call.legs.map((leg) => (
              <li key={leg.leg}>
                <strong>{t(`leg.${leg.leg}`)}</strong> {t("facts.leg", { transport: lookup(`transport.${leg.transport}`, leg.transport), codec: leg.codec })}
                {leg.cause && <span class="aside">{lookup(`left.${leg.cause}`, leg.cause)}</span>}
              </li>
            ))}
          </ul>
          <h3>{t("facts.tracks")}</h3>
          {call.tracks.length === 0 && <p class="empty">{t("facts.tracks.none")}</p>}
          <ul class="plain">
            {call.tracks.map((track) => (
              <li key={track.name}>
                <strong>{trackName(track.name)}</strong> {t("facts.track", { length: clock(track.samples / track.rate), rate: number(track.rate / 1000, 1) })}
                <span class="aside">{track.gaps.length === 0 ? t("gaps.none") : tn("gaps.count", track.gaps.length)}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}
