/** A stretch to hear again and again: from here, to here, and no more; the same by keys and by dragging over the waveform. */
import { clockTenths, number } from "../format";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { Icon } from "../parts/Icon";
import { beginAt, endAt } from "./repeating";
import type { Sound } from "./sound";

export function Repeat({ sound }: { sound: Sound }) {
  const loop = sound.loop.value;
  const from = () => (sound.loop.value = beginAt(sound.loop.value, sound.at.value));
  const to = () => sound.repeat(endAt(sound.loop.value, sound.at.value));
  const stop = () => (sound.loop.value = null);
  useKeys({ loopFrom: from, loopTo: to, ...(loop ? { loopOff: stop } : {}) });
  return (
    <div class="repeat" role="group" aria-label={t("player.loop")}>
      <button type="button" class="button small" onClick={from} title={`${t("player.loop.from")} (${hint("loopFrom")})`}><Icon name="repeat" size={16} />{t("player.loop.from")}</button>
      <button type="button" class="button small" onClick={to} title={`${t("player.loop.to")} (${hint("loopTo")})`}>{t("player.loop.to")}</button>
      {loop && <button type="button" class="button small" onClick={stop} title={`${t("player.loop.stop")} (${hint("loopOff")})`}>{t("player.loop.stop")}</button>}
      <p role="status" class="hint">{loop && (loop.to === null ? t("player.loop.begun", { from: clockTenths(loop.from) })
        : t("player.loop.now", { from: clockTenths(loop.from), to: clockTenths(loop.to), s: number(loop.to - loop.from, 1) }))}</p>
    </div>
  );
}
