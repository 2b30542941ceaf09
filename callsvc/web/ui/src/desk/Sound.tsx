/** Headset and speaker before the first call: chosen once, remembered, heard and seen to work. */
import { useEffect, useId, useState } from "preact/hooks";
import { t } from "../locale";
import { Notice } from "../parts/Notice";
import { Icon } from "../parts/Icon";
import * as devices from "../phone/devices";
import { leg } from "../phone/shift";
import { Filtered } from "./Filtered";

const STEPS = 24;

function Level() {
  const lit = Math.round(devices.level.value * STEPS);
  return (
    <div class="level" role="meter" aria-label={t("sound.level")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(devices.level.value * 100)}>
      {Array.from({ length: STEPS }, (_, n) => <span key={n} class={n < lit ? (n >= STEPS - 3 ? "on high" : "on") : ""} />)}
    </div>
  );
}

export function Sound({ measure }: { measure: boolean }) {
  const stream = devices.stream.value;
  const [playing, setPlaying] = useState(false);
  const ids = { microphone: useId(), speaker: useId() };
  useEffect(() => (measure && stream ? devices.measure(stream) : undefined), [stream, measure]);
  const trouble = devices.trouble.value;
  const tone = () => {
    if (playing) return;
    setPlaying(true);
    devices.tone().catch(() => undefined).finally(() => setPlaying(false));
  };
  const pick = (id: string) => void devices.chooseMicrophone(id).then((got) => got && leg.value?.use(got));
  return (
    <div class="sound">
      {trouble && <Notice tone="bad" title={t(`sound.${trouble}`)}><p>{t(`sound.${trouble}.do`)}</p></Notice>}
      <Filtered />
      {!stream
        ? <button type="button" class="button" onClick={() => void devices.open()}><Icon name="headset" />{t("sound.try")}</button>
        : <>
          <div class="sound-choices">
            <div class="field">
              <label for={ids.microphone}>{t("sound.microphone")}</label>
              <select id={ids.microphone} value={devices.microphone.value} onChange={(event) => pick(event.currentTarget.value)}>
                <option value="">{t("sound.any")}</option>
                {devices.microphones.value.map((one) => <option key={one.id} value={one.id}>{one.label}</option>)}
              </select>
            </div>
            <div class="field">
              <label for={ids.speaker}>{t("sound.speaker")}</label>
              <select id={ids.speaker} value={devices.speaker.value} onChange={(event) => { devices.chooseSpeaker(event.currentTarget.value); if (leg.value) void devices.direct(leg.value.ear); }}>
                <option value="">{t("sound.any")}</option>
                {devices.speakers.value.map((one) => <option key={one.id} value={one.id}>{one.label}</option>)}
              </select>
            </div>
          </div>
          {measure && (
            <div class="sound-try">
              <div><p class="label">{t("sound.level")}</p><Level /></div>
              <button type="button" class="button" onClick={tone} aria-disabled={playing}><Icon name="play" size={18} />{playing ? t("sound.tone.on") : t("sound.tone")}</button>
            </div>
          )}
        </>}
    </div>
  );
}
