/** The call at one glance: which line, how long, what the recording does, how good the connection is. In words each. */
import { lookup, t } from "../locale";
import { clock, isoDuration, number } from "../format";
import { profileName } from "../call/words";
import { State, type Tone } from "../parts/State";
import type { Leg } from "../phone/leg";
import { shift } from "../phone/shift";
import { addresses } from "../router";
import { nameOf } from "./lines";
import { useTick } from "./tick";

/** Seconds of the call now: what the node said last, and what has passed since. */
export function seconds(leg: Leg): number {
  return Math.floor(leg.channel.now() / 1000);
}

export function recordingWords(leg: Leg): { tone: Tone; words: string } {
  const told = leg.channel.told.value;
  if (!told || told.state === "setting_up") return { tone: "busy", words: t("desk.connecting") };
  if (leg.phase.value !== "joined") return { tone: "warn", words: t("desk.recording.unknown") };
  if (told.held) return { tone: "busy", words: t("desk.recording.held") };
  switch (told.recording.condition) {
    case "recording": return { tone: "rec", words: t("recording.running") };
    case "masked": return { tone: "warn", words: t("desk.recording.masked") };
    case "degraded": return { tone: "warn", words: t("desk.recording.degraded") };
    case "off": return { tone: "quiet", words: t("recording.none") };
    default: return { tone: "busy", words: t("recording.sealing") };
  }
}

/** The call's clock; while a stretch is masked, how long it has been. */
export function Running({ leg }: { leg: Leg }) {
  useTick();
  const told = leg.channel.told.value;
  const masked = told?.recording.condition === "masked";
  const now = masked ? Math.floor((told.recording.masked_ms + Math.min(2000, performance.now() - leg.channel.toldAt.value)) / 1000) : seconds(leg);
  return <time class="clock" datetime={isoDuration(now)}>{clock(now)}</time>;
}

function Connection({ leg }: { leg: Leg }) {
  const phase = leg.phase.value;
  const quality = leg.quality.value;
  if (phase === "broken") return <State tone="bad">{t("desk.line.broken")}</State>;
  if (phase === "joining") return <State tone="busy">{t("desk.line.joining")}</State>;
  if (!quality) return <State tone="busy">{t("desk.line.measuring")}</State>;
  const tones: Record<typeof quality.grade, Tone> = { good: "good", fair: "warn", poor: "bad" };
  const figures = t("desk.line.figures", { lost: number(quality.lostPct, 1), jitter: number(quality.jitterMs), trip: number(quality.roundTripMs) });
  return <span title={figures}><State tone={tones[quality.grade]}>{t(`desk.line.${quality.grade}`)}</State></span>;
}

function CallClock({ leg }: { leg: Leg }) {
  useTick();
  return <time class="clock" datetime={isoDuration(seconds(leg))}>{clock(seconds(leg))}</time>;
}

export function Strip({ leg }: { leg: Leg }) {
  const recording = recordingWords(leg);
  const hand = shift.value?.in_hand;
  const masked = leg.channel.told.value?.recording.condition === "masked";
  return (
    <section class={`card strip ${recording.tone}`} aria-label={t("desk.glance")}>
      <div class="strip-recording"><span role="status"><State tone={recording.tone}>{recording.words}</State></span> <Running leg={leg} /></div>
      <dl>
        {masked && <div><dt>{t("facts.length")}</dt><dd><CallClock leg={leg} /></dd></div>}
        <div><dt>{t("facts.line")}</dt><dd>{hand ? nameOf(hand) : t("facts.unknown")}{hand?.line && <span class="tag">{profileName(hand.profile)}</span>}{hand?.line?.queue && <span class="tag">{t("ring.queue", { queue: hand.line.queue })}</span>}{hand?.demo && <span class="tag">{t("calls.demo.tag")}</span>}</dd></div>
        <div><dt>{t("desk.line")}</dt><dd><Connection leg={leg} /></dd></div>
      </dl>
    </section>
  );
}

/** On other pages: that the call goes on, and the way back to it. */
export function InTheCall({ leg }: { leg: Leg }) {
  const recording = recordingWords(leg);
  return (
    <div class="in-the-call">
      <State tone={recording.tone}>{recording.words} <Running leg={leg} /></State>
      <a class="button small" href={addresses.desk}>{t("desk.back")}</a>
    </div>
  );
}

export function degradedWords(what: string): { title: string; todo: string } {
  return {
    title: lookup(`degraded.${what}`, t("degraded.other")),
    todo: lookup(`degraded.${what}.do`, t("degraded.other.do")),
  };
}
