/** What happened on the call's clock, and the captions as the operator saw them. */
import type { Shape } from "../api/client";
import type { Sound } from "../call/sound";
import { clock } from "../format";
import { lookup, t } from "../locale";

type Happening = Shape<"Happening">;

/** Everything that is told with it, in words. */
function words(one: Happening): string {
  const told = (name: string) => String(one.detail[name] ?? "");
  const leg = lookup(`leg.${told("leg") || told("by")}`, "");
  switch (one.what) {
    case "mask": return told("on") === "true" ? t("review.happened.mask.on", { reason: lookup(`mask.${told("reason")}`, t("mask.other")) }) : t("review.happened.mask.off");
    case "hold": return t(told("on") === "true" ? "review.happened.hold.on" : "review.happened.hold.off");
    case "mute": return t(told("on") === "true" ? "review.happened.mute.on" : "review.happened.mute.off");
    case "marker": return t("review.happened.marker", { marker: lookup(`marker.${told("marker")}`, t("marker.other")) });
    case "recall": return t("review.happened.recall", { from: clock(Number(one.detail["from_ms"] ?? one.at_ms) / 1000) });
    case "announcement": return lookup(`review.happened.announcement.${told("state")}${told("by") === "service" && told("state") === "begun" ? ".service" : ""}`, t("lane.announcement"), {
      what: lookup(`announcement.${told("announcement")}`, told("announcement")), language: lookup(`language.${told("language")}`, told("language")) });
    case "digit": return t("review.happened.digit", { leg });
    case "degraded": return t("review.happened.degraded", { part: lookup(`degraded.${told("part")}`, t("degraded.other")) });
    case "joined": return t("review.happened.joined", { leg, by: lookup(`transport.${told("transport")}`, told("transport")) });
    case "left": return t("review.happened.left", { leg, why: lookup(`left.${told("cause")}`, t("left.call_ended")) });
    default: return lookup(`lane.${one.what}`, t("review.happened.other"));
  }
}

export function Beside({ replay, sound }: { replay: Shape<"Replay">; sound: Sound }) {
  const stamp = (ms: number, of: string) => <button type="button" class="link clock" onClick={() => sound.seek(ms / 1000)}>{clock(ms / 1000)}<span class="unseen"> {of}</span></button>;
  return (
    <div class="review-beside">
      <section class="card" aria-labelledby="happened">
        <h2 id="happened">{t("review.happened")}</h2>
        {replay.happenings.length === 0 ? <p class="empty">{t("review.happened.none")}</p>
          : <ol class="plain moments-list">{replay.happenings.map((one, n) => <li key={n}>{stamp(one.at_ms, words(one))} <span aria-hidden="true">{words(one)}</span></li>)}</ol>}
      </section>
      <section class="card" aria-labelledby="captions">
        <h2 id="captions">{t("review.captions")}</h2>
        {replay.captions.length === 0 ? <p class="empty">{t("review.captions.none")}</p>
          : <ol class="plain moments-list">{replay.captions.map((one, n) => <li key={n}>{stamp(one.start_ms, t(`leg.${one.leg}`))} <span><strong>{t(`leg.${one.leg}`)}</strong> {one.text}</span></li>)}</ol>}
      </section>
    </div>
  );
}
