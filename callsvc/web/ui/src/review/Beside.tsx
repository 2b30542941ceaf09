/** What happened on the call's clock, and the captions as the operator saw them. */
import type { Shape } from "../api/client";
import type { Sound } from "../call/sound";
import { clock } from "../format";
import { lookup, t } from "../locale";

type Happening = Shape<"Happening">;

function words(one: Happening): string {
  const leg = lookup(`leg.${String(one.detail["leg"] ?? "")}`, "");
  const on = one.detail["on"];
  const name = typeof on === "boolean" ? `review.happened.${one.what}.${on ? "on" : "off"}` : `review.happened.${one.what}`;
  return lookup(name, one.what, { leg, part: String(one.detail["part"] ?? "") });
}

export function Beside({ replay, sound }: { replay: Shape<"Replay">; sound: Sound }) {
  const stamp = (ms: number) => <button type="button" class="link clock" onClick={() => sound.seek(ms / 1000)}>{clock(ms / 1000)}</button>;
  return (
    <div class="review-beside">
      <section class="card" aria-labelledby="happened">
        <h2 id="happened">{t("review.happened")}</h2>
        {replay.happenings.length === 0 ? <p class="empty">{t("review.happened.none")}</p>
          : <ol class="plain moments-list">{replay.happenings.map((one, n) => <li key={n}>{stamp(one.at_ms)} <span>{words(one)}</span></li>)}</ol>}
      </section>
      <section class="card" aria-labelledby="captions">
        <h2 id="captions">{t("review.captions")}</h2>
        {replay.captions.length === 0 ? <p class="empty">{t("review.captions.none")}</p>
          : <ol class="plain moments-list">{replay.captions.map((one, n) => <li key={n}>{stamp(one.start_ms)} <span><strong>{t(`leg.${one.leg}`)}</strong> {one.text}</span></li>)}</ol>}
      </section>
    </div>
  );
}
