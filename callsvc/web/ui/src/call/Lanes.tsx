/** What happened in the call, on the time line of its waveform: a lane for each kind, and the same as a list.

The lane is for the eye and the mouse; its name opens the list, which is for everybody. */
import type { Shape } from "../api/client";
import { clock, number } from "../format";
import { lookup, t, type Key } from "../locale";
import { causeName, trackName } from "./Facts";
import type { Sound } from "./sound";

/** `to` is null for a moment. */
export type Happening = { from: number; to: number | null; words: string };
export type LaneOf = { name: string; title: string; happenings: Happening[]; count?: number };

type Done = Shape<"DoneOut">;
const order: readonly Done["lane"][] = ["marker", "mask", "hold", "mute", "announcement", "recall"];

function words(one: Done): string {
  if (one.lane === "marker") return lookup(`marker.${one.what}`, t("marker.other"));
  if (one.lane === "mask") return lookup(`mask.${one.what}`, t("mask.other"));
  if (one.lane === "announcement") {
    const [id = "", language = ""] = one.what.split(" ");
    return `${lookup(`announcement.${id}`, id)}, ${lookup(`language.${language}`, language)}`;
  }
  return t(`lane.${one.lane}.one` as Key);
}

/** The lanes that have something in them: what was done, and where the recording has gaps. */
export function lanesOf(done: readonly Done[], tracks: readonly Shape<"TrackOut">[]): LaneOf[] {
  const found: LaneOf[] = order.map((lane) => ({
    name: lane,
    title: t(`lane.${lane}`),
    happenings: done.filter((one) => one.lane === lane)
      .map((one) => ({ from: one.start_ms / 1000, to: one.end_ms > one.start_ms ? one.end_ms / 1000 : null, words: words(one) })),
  }));
  const gaps = tracks.flatMap((track) => track.gaps.map((gap) => ({
    from: gap.start / track.rate,
    to: (gap.start + gap.length) / track.rate,
    words: t("gaps.line", { track: trackName(track.name), cause: causeName(gap.cause), s: number(gap.length / track.rate, 1) }),
  })));
  found.push({ name: "gaps", title: t("gaps.title"), happenings: gaps.sort((a, b) => a.from - b.from) });
  return found.filter((lane) => lane.happenings.length > 0);
}

export function Lanes({ lanes, seconds, sound }: { lanes: LaneOf[]; seconds: number; sound: Sound }) {
  return (
    <div class="lane-rows">
      {lanes.map((lane) => (
        <details key={lane.name} class={`lane-row lane-${lane.name}`}>
          <summary>
            <span class="lane-title">{lane.title}<span class="count">{number(lane.count ?? lane.happenings.length)}</span></span>
            <span class="lane-bar" aria-hidden="true" onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              event.preventDefault();
              sound.seek(((event.clientX - box.left) / box.width) * seconds);
            }}>
              {lane.happenings.map((one, n) => (
                <span key={n} class={one.to === null ? "moment" : "span"} title={`${clock(one.from)} ${one.words}`}
                  style={{ left: `${(100 * one.from) / seconds}%`, ...(one.to === null ? {} : { width: `${(100 * (one.to - one.from)) / seconds}%` }) }} />
              ))}
            </span>
          </summary>
          <ul class="plain lane-list">
            {lane.happenings.map((one, n) => (
              <li key={n}>
                <button type="button" class="link clock" onClick={() => sound.seek(one.from)}>{clock(one.from)}</button>{" "}
                {one.words}{one.to !== null && lane.name !== "gaps" && <span class="aside">, {t("lane.length", { s: number(one.to - one.from, 1) })}</span>}
              </li>
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}
