/** The call in hand: what it does at one glance, what one can do, and the notes beside it. */
import { useEffect } from "preact/hooks";
import { t } from "../locale";
import { Notice } from "../parts/Notice";
import * as devices from "../phone/devices";
import type { Leg } from "../phone/leg";
import { Controls } from "./Controls";
import { Hints, useHints } from "./Hints";
import { QuietMeter } from "./QuietMeter";
import { Sound } from "./Sound";
import { degradedWords, Strip } from "./Strip";

export function InCall({ leg }: { leg: Leg }) {
  const told = leg.channel.told.value;
  useHints(leg);
  useMediaKeys(leg);
  return (
    <div class="in-call">
      <Strip leg={leg} />
      {leg.phase.value === "broken" && <Notice tone="bad" title={t("desk.line.broken")}><p>{t("desk.line.broken.do")}</p></Notice>}
      {told?.away.includes("caller") && <Notice tone="warn" title={t("desk.away")}><p>{t("desk.away.do")}</p></Notice>}
      {told?.degraded.map((what) => {
        const words = degradedWords(what);
        return <Notice key={what} tone="warn" title={words.title}><p>{words.todo}</p></Notice>;
      })}
      {devices.trouble.value && <Notice tone="bad" title={t(`sound.${devices.trouble.value}`)}><p>{t(`sound.${devices.trouble.value}.do`)}</p></Notice>}
      <Controls leg={leg} />
      <div class="in-call-columns">
        <div class="in-call-side">
          <QuietMeter leg={leg} />
          <details class="card fold">
            <summary>{t("desk.sound")}</summary>
            <Sound measure={false} />
            <Hints />
          </details>
        </div>
      </div>
    </div>
  );
}

/** The keys of a headset: pause holds the call, its hook ends it. */
function useMediaKeys(leg: Leg): void {
  useEffect(() => {
    const session = navigator.mediaSession as MediaSession | undefined;
    if (!session) return undefined;
    const hold = (on: boolean) => () => void leg.channel.command({ do: "hold", on }).catch(() => undefined);
    const actions: [string, MediaSessionActionHandler][] = [
      ["pause", hold(true)], ["play", hold(false)], ["hangup", () => leg.hangUp()],
    ];
    const set = (name: string, handler: MediaSessionActionHandler | null) => {
      try {
        session.setActionHandler(name as MediaSessionAction, handler);
      } catch {
        return; // this browser does not know the key
      }
    };
    for (const [name, handler] of actions) set(name, handler);
    return () => {
      for (const [name] of actions) set(name, null);
    };
  }, [leg]);
}
