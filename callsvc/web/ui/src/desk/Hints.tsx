/** Key times as a help for the suppressor: only with consent, off at first, and the time alone, never which key. */
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { t } from "../locale";
import type { Leg } from "../phone/leg";
import { remember, remembered } from "../remembered";

export const hints = signal(remembered("hints") === "on");

export function Hints() {
  return (
    <label class="check">
      <input type="checkbox" checked={hints.value} onChange={(event) => {
        hints.value = event.currentTarget.checked;
        remember("hints", hints.value ? "on" : null);
      }} />
      <span>{t("hints.title")}<span class="hint">{t("hints.words")}</span></span>
    </label>
  );
}

/** While a call goes on and consent is given, each key press is told as a moment. */
export function useHints(leg: Leg): void {
  const on = hints.value;
  useEffect(() => {
    if (!on) return undefined;
    const tell = (event: KeyboardEvent) => {
      if (!event.repeat) leg.channel.say({ t: "key", at_ms: performance.timeOrigin + event.timeStamp });
    };
    addEventListener("keydown", tell, { capture: true });
    return () => removeEventListener("keydown", tell, { capture: true });
  }, [leg, on]);
}
