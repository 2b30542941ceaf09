/** Somebody else works on the microphone's sound: who, and what to do about it. */
import { t } from "../locale";
import { Notice } from "../parts/Notice";
import * as devices from "../phone/devices";

function words(one: devices.Doing): string {
  if ("by" in one) return t(`sound.doing.${one.what}`, { by: one.by });
  return one.what === "gate" ? t("sound.doing.gate") : t("sound.doing.browser", { what: t(`sound.doing.${one.what}`) });
}

export function Filtered() {
  const found = devices.untold();
  if (found.length === 0) return null;
  return (
    <Notice tone="warn" title={t("sound.doing")}>
      {found.map((one) => <p key={one.what}>{words(one)}</p>)}
      <p>{t("sound.doing.why")}</p>
      <button type="button" class="button small" onClick={devices.dismiss}>{t("sound.doing.dismiss")}</button>
    </Notice>
  );
}
