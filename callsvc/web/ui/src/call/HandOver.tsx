/** Handing a call to a colleague by name, with the place one has come to; and asking for its review. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { may } from "../session";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import type { Sound } from "./sound";

export function useColleagues(call: string, review: boolean) {
  return useResource((signal) => api.get("/api/calls/{call_id}/colleagues", { path: { call_id: call }, query: { review }, signal }), [call, review]);
}

type WhoProps = { people: readonly Shape<"ColleagueOut">[]; to: string; choose: (to: string) => void; none: string };

/** Only those stand here who may open the call by a right of their own. */
export function Receiver({ people, to, choose, none }: WhoProps) {
  return (
    <div class="field"><label>{t("handover.to")}
      <select value={to} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{none}</option>
        {people.map((one) => <option key={one.id} value={one.id}>{one.display_name}</option>)}
      </select>
    </label></div>
  );
}

export function PassOn({ call, sound }: { call: Shape<"CallDetail">; sound: Sound | null }) {
  const [handing, hand] = useState(false);
  const [said, say] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const ask = () => {
    setProblem(undefined);
    api.post("/api/calls/{call_id}/review-request", { path: { call_id: call.id } })
      .then(() => say(t("review.asked"))).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  if (call.state !== "ended" || (!may("handover.give") && !may("review.ask"))) return null;
  return (
    <div class="pass-on">
      <div class="row">
        {may("handover.give") && <button type="button" class="button" onClick={() => hand(true)}><Icon name="arrow" size={18} />{t("handover.do")}</button>}
        {may("review.ask") && <button type="button" class="button" onClick={ask}><Icon name="review" size={18} />{t("review.ask")}</button>}
        <span role="status">{said && <State tone="good">{said}</State>}</span>
      </div>
      {problem && <Fault problem={problem} />}
      {handing && <Handing call={call.id} placeMs={sound ? Math.round(sound.at.value * 1000) : null} close={() => hand(false)}
        done={(name) => { hand(false); say(t("handover.done", { name })); }} />}
    </div>
  );
}

function Handing({ call, placeMs, close, done }: { call: string; placeMs: number | null; close: () => void; done: (name: string) => void }) {
  const found = useColleagues(call, false);
  const [to, choose] = useState("");
  const [word, setWord] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const people = found.data?.people ?? [];
  const give = () => {
    if (!to) return;
    api.post("/api/calls/{call_id}/hand-overs", { path: { call_id: call }, body: { to, place_ms: placeMs, word } })
      .then(() => done(people.find((one) => one.id === to)?.display_name ?? ""))
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("handover.do")} close={close}>
      <form class="help" onSubmit={(event) => { event.preventDefault(); give(); }}>
        <p>{placeMs === null ? t("handover.lead") : t("handover.lead.at", { at: clock(placeMs / 1000) })}</p>
        {(problem ?? (!found.data && found.problem)) && <Fault problem={(problem ?? found.problem) as Problem} />}
        {found.data && people.length === 0 ? <p class="empty">{t("handover.nobody")}</p> : <Receiver people={people} to={to} choose={choose} none={t("handover.choose")} />}
        <div class="field">
          <label for="hand-over-word">{t("review.give_back.word")}</label>
          <textarea id="hand-over-word" rows={2} maxLength={500} value={word} onInput={(event) => setWord(event.currentTarget.value)} />
        </div>
        <div class="row"><button type="submit" class="button primary" aria-disabled={!to}>{t("handover.give")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}
