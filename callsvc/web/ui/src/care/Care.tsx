/** What spares whoever listens: sound off at first, what may be hard to hear marked ahead, softened sound, a word about pauses. */
import { useEffect } from "preact/hooks";
import type { Shape } from "../api/client";
import type { Sound } from "../call/sound";
import { number } from "../format";
import { hint, useKeys } from "../keys";
import { t, tn } from "../locale";
import { Icon } from "../parts/Icon";
import { Notice } from "../parts/Notice";
import { askChoices, choices, choose, known } from "./choices";
import { ExposureStrip } from "./ExposureStrip";
import { add, forget, hintDue, listened, putAside, recall } from "./listened";

const TICK_S = 1;

export function Care({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const has = call.recording !== null && call.tracks.length > 0;
  useEffect(() => {
    recall();
    void askChoices().catch(() => undefined).then(() => {
      sound.off.value = choices.value.sound_off;
      sound.setSoftened(choices.value.softened);
    });
  }, [sound]);
  const counted = choices.value.counted;
  useEffect(() => {
    if (!counted) return undefined;
    const timer = window.setInterval(() => { if (sound.playing.value) add(TICK_S); }, TICK_S * 1000);
    return () => clearInterval(timer);
  }, [counted, sound]);
  useKeys({ soften: () => sound.setSoftened(!sound.softened.value), soundOn: () => (sound.off.value = !sound.off.value) });
  if (!has || !known.value) return null;
  const off = sound.off.value;
  const softened = sound.softened.value;
  return (
    <section class="card care" aria-labelledby="care">
      <h2 id="care" class="unseen">{t("review.care.title")}</h2>
      <div class="care-row">
        <div class="care-sound" role="status">
          <Icon name={off ? "soundOff" : "soundOn"} size={22} />
          <p><strong>{off ? t("review.care.off") : t("review.care.on")}</strong> <span class="hint">{off ? t("review.care.off.hint") : t("review.care.on.hint")}</span></p>
        </div>
        <button type="button" class={off ? "button primary" : "button"} title={hint("soundOn")}
          onClick={() => { sound.off.value = !off; if (!off) sound.pause(); }}>{off ? t("review.care.turn_on") : t("review.care.turn_off")}</button>
        <button type="button" class="button" aria-pressed={softened} title={hint("soften")} onClick={() => sound.setSoftened(!softened)}>
          <Icon name="soften" size={18} />{t("review.care.softened")}</button>
        {counted && listened.value >= 60 && <p class="care-time">{tn("review.care.listened", Math.floor(listened.value / 60))}</p>}
      </div>
      {sound.asking.value && off && <Notice tone="quiet" title={t("review.care.asked")}><p>{t("review.care.asked.hint", { key: hint("soundOn") })}</p></Notice>}
      {counted && hintDue(listened.value) > putAside.value && (
        <Notice tone="quiet" title={t("review.care.pause", { hours: number(listened.value / 3600, 1) })}>
          <p>{t("review.care.pause.hint")}</p>
          <button type="button" class="button small" onClick={() => (putAside.value = hintDue(listened.value))}>{t("review.care.pause.aside")}</button>
        </Notice>
      )}
      {choices.value.marked && <ExposureStrip call={call} sound={sound} />}
      <details class="care-choices">
        <summary>{t("review.care.choices")}</summary>
        <div class="plain">
          {(["sound_off", "softened", "marked", "counted"] as const).map((name) => (
            <label key={name} class="check">
              <input type="checkbox" checked={choices.value[name]} onChange={(event) => {
                choose({ [name]: event.currentTarget.checked });
                if (name === "counted" && !event.currentTarget.checked) forget();
                if (name === "softened") sound.setSoftened(event.currentTarget.checked);
              }} />
              <span>{t(`review.care.choice.${name}`)}<span class="hint">{t(`review.care.choice.${name}.hint`)}</span></span>
            </label>
          ))}
        </div>
      </details>
    </section>
  );
}
