/** The call in hand: what it does at one glance, what one can do, and the notes beside it. */
import { useEffect, useRef } from "preact/hooks";
import type { Shape } from "../api/client";
import { t } from "../locale";
import { Notice } from "../parts/Notice";
import * as devices from "../phone/devices";
import type { Leg } from "../phone/leg";
import { may } from "../session";
import type { Resource } from "../resource";
import { useBeside, useGuides, type Beside } from "./beside";
import { Captions } from "./Captions";
import { Checklists } from "./Checklists";
import { Consents } from "./Consents";
import { Controls } from "./Controls";
import { Hints, useHints } from "./Hints";
import { Notes } from "./Notes";
import { QuietMeter } from "./QuietMeter";
import { Sound } from "./Sound";
import { degradedWords, Strip } from "./Strip";
import { WrapUp } from "./WrapUp";

type Props = { call: string; profile: string; leg: Leg | null; due: Shape<"CallToWriteUp"> | null };

/** One work place for the call while it goes on and when it is over: what one types in stays where it is. */
export function InCall({ call, profile, leg, due }: Props) {
  const guides = useGuides();
  const beside = useBeside(call);
  const now = () => (leg && leg.channel.told.value?.state === "live" ? Math.round(leg.channel.now()) : null);
  const place = useRef<HTMLDivElement>(null);
  // Whoever has answered can write at once; whoever is somewhere else on the page stays there.
  useEffect(() => {
    if (leg && document.activeElement?.matches("body, h1")) place.current?.querySelector("textarea")?.focus({ preventScroll: true });
  }, [leg]);
  return (
    <div class="in-call" ref={place}>
      {leg ? <During leg={leg} beside={beside} /> : null}
      <div class="in-call-columns">
        <div class="in-call-main">
          {due && guides && beside.data ? <WrapUp key={call} due={due} guides={guides} beside={beside.data} reload={beside.reload} /> : null}
          <Notes call={call} now={now} />
          {leg && may("captions.read") ? <Captions key={call} call={call} correct /> : null}
        </div>
        <div class="in-call-side">
          {leg ? <QuietMeter leg={leg} /> : null}
          {guides && beside.data ? <Checklists key={call} call={call} profile={profile} leg={leg} guides={guides} beside={beside.data} reload={beside.reload} /> : null}
          {leg && guides && beside.data ? (
            <details class="card fold">
              <summary>{t("consent.title")}</summary>
              <Consents call={call} guides={guides} beside={beside.data} reload={beside.reload} atMs={now()} leg={leg} />
            </details>
          ) : null}
          {leg ? (
            <details class="card fold">
              <summary>{t("desk.sound")}</summary>
              <Sound measure={false} />
              <Hints />
            </details>
          ) : null}
        </div>
      </div>
    </div>
  );
}

function During({ leg, beside }: { leg: Leg; beside: Resource<Beside> }) {
  const told = leg.channel.told.value;
  useHints(leg);
  return (
    <>
      <Strip leg={leg} />
      {leg.phase.value === "broken" && <Notice tone="bad" title={t("desk.line.broken")}><p>{t("desk.line.broken.do")}</p></Notice>}
      {told?.away.includes("caller") && <Notice tone="warn" title={t("desk.away")}><p>{t("desk.away.do")}</p></Notice>}
      {told?.degraded.map((what) => {
        const words = degradedWords(what);
        return <Notice key={what} tone="warn" title={words.title}><p>{words.todo}</p></Notice>;
      })}
      {devices.trouble.value && <Notice tone="bad" title={t(`sound.${devices.trouble.value}`)}><p>{t(`sound.${devices.trouble.value}.do`)}</p></Notice>}
      <Controls leg={leg} beside={beside} />
    </>
  );
}
