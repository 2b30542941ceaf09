/** Typing on the call's clock, as runs of strokes: for the lane and its list. */
import type { Shape } from "../api/client";
import { decibel } from "../format";
import { t, tn } from "../locale";
import type { LaneOf } from "./Lanes";

/** A pause of this length ends a run. */
const PAUSE_MS = 1500;

export function strokesLane(typing: Shape<"Typing"> | null | undefined): LaneOf[] {
  if (!typing?.told || typing.at_ms.length === 0) return [];
  const runs: { from: number; to: number; strokes: number; loudest: number }[] = [];
  typing.at_ms.forEach((at, n) => {
    const level = typing.level_db[n] ?? -100;
    const last = runs.at(-1);
    if (last && at - last.to <= PAUSE_MS) {
      last.to = at;
      last.strokes += 1;
      last.loudest = Math.max(last.loudest, level);
    } else runs.push({ from: at, to: at, strokes: 1, loudest: level });
  });
  return [{
    name: "strokes",
    title: t("lane.strokes"),
    count: typing.at_ms.length,
    happenings: runs.map((run) => ({
      from: run.from / 1000,
      to: run.to > run.from ? run.to / 1000 : null,
      words: `${tn("lane.strokes.some", run.strokes)}, ${t("lane.strokes.loudest", { level: decibel(run.loudest) })}`,
    })),
  }];
}
