/** Checklists of the line: what is ticked gets its moment, and a marker in the recording. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock } from "../format";
import { t } from "../locale";
import { Fault } from "../parts/Notice";
import type { Leg } from "../phone/leg";
import { said, type Beside, type Guides } from "./beside";

type Props = { call: string; profile: string; leg: Leg | null; guides: Guides; beside: Beside; reload: () => void };
type Tick = Shape<"TickOut">;

export function Checklists({ call, profile, leg, guides, beside, reload }: Props) {
  const [problem, setProblem] = useState<Problem>();
  const [mine, setMine] = useState<Record<string, { ticked: boolean; at_ms: number | null }>>({});
  const closed = beside.wrap_up?.state === "done";
  const standing = (list: string, item: string): { ticked: boolean; at_ms: number | null } | undefined =>
    mine[`${list} ${item}`] ?? beside.ticks.find((one: Tick) => one.checklist === list && one.item === item);
  const tick = (list: string, item: string, ticked: boolean) => {
    const at_ms = leg ? Math.round(leg.channel.now()) : null;
    setMine((all) => ({ ...all, [`${list} ${item}`]: { ticked, at_ms } }));
    setProblem(undefined);
    api.put("/api/calls/{call_id}/ticks", { path: { call_id: call }, body: { checklist: list, item, ticked, at_ms } })
      .then(reload)
      .catch((fault: unknown) => {
        setMine((all) => ({ ...all, [`${list} ${item}`]: { ticked: !ticked, at_ms: null } }));
        setProblem(Problem.of(fault));
      });
    // In the recording itself, too, where there is one: what was done when does not hang on this page's word alone.
    if (ticked && leg) leg.channel.command({ do: "marker", kind: "information", text: `${list}/${item}` }).catch(() => undefined);
  };
  return (
    <>
      {guides.checklists.filter((list) => list.profiles.some((one) => one === profile)).map((list) => {
        const done = list.items.filter((item) => standing(list.id, item.id)?.ticked).length;
        return (
          <section key={list.id} class="card checklist" aria-labelledby={`checklist-${list.id}`}>
            <h2 id={`checklist-${list.id}`}>{said(list)}<span class="count">{t("checklist.done", { done, of: list.items.length })}</span></h2>
            <ul class="plain">
              {list.items.map((item) => {
                const now = standing(list.id, item.id);
                return (
                  <li key={item.id}>
                    <label class="check">
                      <input type="checkbox" checked={now?.ticked ?? false} disabled={closed} onChange={(event) => tick(list.id, item.id, event.currentTarget.checked)} />
                      <span>{said(item)}<span class="hint">{[item.source, now?.ticked && now.at_ms !== null ? t("checklist.at", { at: clock(now.at_ms / 1000) }) : ""].filter(Boolean).join(" · ")}</span></span>
                    </label>
                  </li>
                );
              })}
            </ul>
          </section>
        );
      })}
      {problem && <Fault problem={problem} />}
    </>
  );
}
