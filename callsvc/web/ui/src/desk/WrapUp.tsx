/** Writing the call up: its case, what it was about, what was told and consented to, what the next one needs to know. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock, hour } from "../format";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import { Receiver, useColleagues } from "../call/HandOver";
import { look } from "../phone/shift";
import { said, type Beside, type Guides } from "./beside";
import { Consents } from "./Consents";
import { keeperOf } from "./keeper";
import { nameOf } from "./lines";
import { me } from "../session";

const MOST = 500;

type Due = Shape<"CallToWriteUp">;
type Props = { due: Due; guides: Guides; beside: Beside; reload: () => void };

export function WrapUp({ due, guides, beside, reload }: Props) {
  const kept = beside.wrap_up;
  const [number, setNumber] = useState(kept?.case_number ?? "");
  const [labels, setLabels] = useState<string[]>(kept?.labels ?? []);
  const [told, setTold] = useState<string[]>(kept?.told ?? []);
  const [handOver, setHandOver] = useState(kept?.hand_over ?? "");
  const [to, choose] = useState("");
  const people = useColleagues(due.call_id, false).data?.people ?? [];
  const [problem, setProblem] = useState<Problem>();
  const first = useRef(true);
  const form = { case_number: number, labels, told, hand_over: handOver };
  const put = (state: "open" | "later" | "done") =>
    api.put("/api/calls/{call_id}/wrap-up", { path: { call_id: due.call_id }, body: { ...form, state } });
  const finish = (state: "later" | "done") => {
    setProblem(undefined);
    keeperOf(me.value?.id ?? "", due.call_id).save()
      .then(() => put(state))
      .then(() => (state === "done" && to ? api.post("/api/calls/{call_id}/hand-overs", { path: { call_id: due.call_id }, body: { to, place_ms: null, word: handOver.slice(0, MOST) } }) : undefined))
      .then(look)
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  // Filled in and left alone for a second: kept. A number that is half typed is no fault yet.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const soon = window.setTimeout(() => void put("open").catch(() => undefined), 1000);
    return () => clearTimeout(soon);
  }, [number, labels.join(), told.join(), handOver]);
  const sheet = useRef<HTMLFormElement>(null);
  const begin = () => sheet.current?.querySelector<HTMLElement>("input, textarea")?.focus();
  // Whoever hung up by a key goes on here; whoever still writes notes is left alone.
  useEffect(() => {
    if (document.activeElement?.matches("body, h1")) begin();
  }, []);
  useKeys({ wrapBegin: begin, wrapDone: () => finish("done") });
  const anonymous = due.profile === "anonymous";
  return (
    <section class="card wrap-up" aria-labelledby="wrap-up">
      <div class="notes-head">
        <h2 id="wrap-up">{t("wrap.title")}</h2>
        <p><State tone="quiet">{t("wrap.call", { line: nameOf(due), at: hour(due.started_at), length: clock((due.length_ms ?? 0) / 1000) })}</State></p>
      </div>
      {problem && <Fault problem={problem} />}
      <form ref={sheet} onSubmit={(event) => { event.preventDefault(); finish("done"); }}>
        {!anonymous && <Field label={t("wrap.case")} value={number} change={setNumber} hint={t("wrap.case.hint")} required={false} />}
        <Chips legend={t("wrap.labels")} options={guides.labels} chosen={labels} choose={setLabels} />
        <Chips legend={t("wrap.told")} options={guides.told} chosen={told} choose={setTold} />
        <Consents call={due.call_id} guides={guides} beside={beside} reload={reload} atMs={null} leg={null} />
        <div class="field">
          <label for="hand-over">{t("wrap.hand_over")}</label>
          <textarea id="hand-over" rows={2} value={handOver} onInput={(event) => setHandOver(event.currentTarget.value)} aria-describedby="hand-over-hint" />
          <p class="hint" id="hand-over-hint">{t("wrap.hand_over.hint")}</p>
        </div>
        {people.length > 0 && !anonymous && <Receiver people={people} to={to} choose={choose} none={t("wrap.nobody")} />}
        <div class="row">
          <button type="submit" class="button primary" aria-keyshortcuts={hint("wrapDone")}><Icon name="check" />{t("wrap.done")}<kbd>{hint("wrapDone")}</kbd></button>
          <button type="button" class="button" onClick={() => finish("later")}>{t("wrap.later")}</button>
        </div>
      </form>
    </section>
  );
}

type ChipsProps = { legend: string; options: Shape<"ChoiceOut">[]; chosen: string[]; choose: (chosen: string[]) => void };

function Chips({ legend, options, chosen, choose }: ChipsProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div class="chips">
        {options.map((one) => (
          <label key={one.id} class="chip">
            <input type="checkbox" checked={chosen.includes(one.id)}
              onChange={(event) => choose(event.currentTarget.checked ? [...chosen, one.id] : chosen.filter((other) => other !== one.id))} />
            <span>{said(one)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
