/** The states of a call, its recording and its transcript, in words, with the shape that goes with each. */
import type { Shape as ApiShape } from "../api/client";
import { lookup, t } from "../locale";
import { percent } from "../format";
import type { Tone } from "../parts/State";

export type Summary = ApiShape<"CallSummary">;
export type Said = { tone: Tone; words: string };

export function recordingSaid(call: Summary): Said {
  switch (call.recording?.state) {
    case undefined: return { tone: "quiet", words: call.state === "ended" ? t("recording.none.ended") : t("recording.none") };
    case "recording": return call.state === "ended"
      ? { tone: "busy", words: t("recording.sealing") } : { tone: "rec", words: t("recording.running") };
    case "sealed":
    case "archived":
      return call.recording?.outcome === "complete"
        ? { tone: "good", words: call.recording.state === "archived" ? t("recording.archived") : t("recording.sealed") }
        : { tone: "warn", words: t("recording.cut") };
    case "failed": return { tone: "bad", words: call.recording?.outcome === "not_as_sealed" ? t("recording.changed") : t("recording.failed") };
  }
}

export function transcriptSaid(call: Summary): Said {
  const transcript = call.transcript;
  switch (transcript?.state) {
    case undefined: return { tone: "quiet", words: t("transcript.none") };
    case "queued": return { tone: "busy", words: t("transcript.queued") };
    case "waiting_model": return { tone: "warn", words: t("transcript.waiting_model") };
    case "running": return { tone: "busy", words: t("transcript.running", { share: percent(Math.round((transcript?.progress ?? 0) * 100)) }) };
    case "done": return { tone: "good", words: t("transcript.done") };
    case "failed": return { tone: "bad", words: t("transcript.failed") };
  }
}

export function quietSaid(call: Summary): Said {
  const proof = call.proof;
  if (call.degraded || proof?.degraded) return { tone: "warn", words: t("quiet.degraded") };
  if (!proof) return { tone: "quiet", words: t("quiet.none") };
  if (proof.strokes === 0) return { tone: "good", words: t("quiet.nostrokes") };
  return { tone: "good", words: t("quiet.share", { share: percent(proof.audible_after_pct ?? 0) }) };
}

export function profileName(profile: string): string {
  return lookup(`profile.${profile}`, profile);
}
