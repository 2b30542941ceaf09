/** Editing a catalogue, as a form or as its text: checked, compared, saved with a reason, and never lost. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { lookup, t } from "../locale";
import { Fault, Notice } from "../parts/Notice";
import { Confirm } from "./Confirm";
import { Leaving } from "./Leaving";
import { Meanwhile } from "./Meanwhile";
import { CatalogueForm, without } from "./form/CatalogueForm";
import { keyed, type Place, type Table } from "./form/value";
import { placeName } from "./form/words";
import { draftOf, keepDraft, useGuard, type Draft } from "./leaving";

type Told = Shape<"CatalogueOut">;
type Faults = Shape<"CatalogueFault">[];

/** What is sent of a draft: the text alone, or the value and, where it is another than the version's, the text it is written over. */
export function asked(draft: Draft, told: string): Shape<"CatalogueText"> {
  if (draft.written === "text" || draft.value === null) return { version: draft.version, body: draft.text };
  return { version: draft.version, value: draft.value, ...(draft.text === told ? {} : { body: draft.text }) };
}

function begun(told: Told): Draft {
  const value = told.value === null ? null : keyed(told.value as Table);
  return { version: told.version, text: told.body, value, written: value === null ? "text" : "form" };
}

export function Editor({ told, saved }: { told: Told; saved: () => void }) {
  // What is in force may become another meanwhile: what is being written goes on from what it began with.
  const [base, setBase] = useState<Told>(() => ({ ...told, version: draftOf(told.kind)?.version ?? told.version }));
  const [draft, setDraft] = useState<Draft>(() => draftOf(told.kind) ?? begun(told));
  const [faults, setFaults] = useState<Faults>([]);
  const [toFault, setToFault] = useState<{ at: Place }>();
  const [changes, setChanges] = useState<Shape<"ChangedLine">[]>();
  const [problem, setProblem] = useState<Problem>();
  const [done, setDone] = useState<number>();
  /** Saved, and not shown as what is in force yet. */
  const [settled, settle] = useState(false);
  const summary = useRef<HTMLDivElement>(null);
  const path = { kind: told.kind };
  const unsaved = !settled && (draft.text !== base.body
    || (draft.written === "form" && JSON.stringify(draft.value) !== JSON.stringify(base.value)));
  const guard = useGuard(unsaved);

  const begin = (from: Told) => {
    setBase(from);
    setDraft((before) => {
      const next = begun(from);
      // What is the same keeps what is open of it.
      const value = JSON.stringify(next.value) === JSON.stringify(before.value) ? before.value : next.value;
      return { ...next, value, written: value === null ? "text" : before.written };
    });
    settle(false);
    setFaults([]);
    setChanges(undefined);
    keepDraft(told.kind, null);
  };
  useEffect(() => {
    if (told.version !== base.version && !unsaved) begin(told);
  }, [told]);
  useEffect(() => keepDraft(told.kind, unsaved ? draft : null), [draft, unsaved]);

  const ask = <T,>(question: Promise<T>, then: (answer: T) => void) => {
    setProblem(undefined);
    question.then(then).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const tell = (found: Faults) => {
    setFaults(found);
    const first = found[0];
    if (first && draft.written === "form") setToFault({ at: first.at });
    else if (first) requestAnimationFrame(() => summary.current?.focus());
  };
  const look = (event: Event) => {
    event.preventDefault();
    setDone(undefined);
    const body = asked(draft, base.body);
    ask(Promise.all([api.post("/api/catalogues/{kind}/check", { path, body }), api.post("/api/catalogues/{kind}/changes", { path, body })]), ([check, compared]) => {
      tell(check.faults);
      if (check.faults.length === 0) setChanges(compared.lines);
    });
  };
  const turn = (written: Draft["written"]) => {
    if (written === draft.written) return;
    ask(api.post("/api/catalogues/{kind}/check", { path, body: asked(draft, base.body) }), (answer) => {
      if (answer.value === null) return tell(answer.faults);
      setFaults([]);
      setDraft({ ...draft, text: answer.body, value: keyed(answer.value as Table), written });
    });
  };

  return (
    <>
      <Meanwhile told={told} base={base} draft={draft} unsaved={unsaved} begin={begin}
        merged={(from, value, text) => { setBase(from); setDraft({ version: from.version, text, value: keyed(value), written: "form" }); setFaults([]); }}
        refused={tell} />
      <form class="catalogue-edit" noValidate onSubmit={look}>
        <fieldset class="segments-field"><legend class="unseen">{t("catalogue.as")}</legend>
          <div class="segments">
            {(["form", "text"] as const).map((one) => (
              <label key={one} class="segment">
                <input type="radio" name="written" checked={draft.written === one} onChange={() => turn(one)} />
                <span>{t(`catalogue.as.${one}`)}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <div ref={summary} tabIndex={-1} class="fault-summary">
          {faults.length > 0 && (
            <Notice tone="bad" title={t("catalogue.faults")}>
              <ul class="fault-list">{faults.map((one) => (
                <li key={one.field + one.message}>
                  {draft.written === "text" || one.at.length === 0 ? one.field && <strong>{one.field}</strong>
                    : <button type="button" class="link" onClick={() => setToFault({ at: one.at })}>{placeName(told.kind, one.at)}</button>} {one.message}
                </li>
              ))}</ul>
            </Notice>
          )}
        </div>
        {draft.written === "form" && draft.value ? (
          <CatalogueForm kind={told.kind} fields={base.form} value={draft.value} faults={faults} toFault={toFault}
            change={(value, place) => { setDraft({ ...draft, value }); setFaults(without(faults, place)); setDone(undefined); }} />
        ) : (
          <div class="field card">
            <label for="catalogue-text">{t("catalogue.text")}</label>
            <textarea id="catalogue-text" class="code" rows={24} spellcheck={false} value={draft.text} aria-describedby="catalogue-hint"
              aria-invalid={faults.length > 0 ? true : undefined}
              onInput={(event) => { setDraft({ ...draft, text: event.currentTarget.value }); setFaults([]); setDone(undefined); }} />
            <p class="hint" id="catalogue-hint">{t("catalogue.text.hint")}</p>
          </div>
        )}
        {problem && <Fault problem={problem} />}
        {done !== undefined && <Notice tone="good" title={t("catalogue.saved", { n: done })} />}
        <div class="row save-row">
          <button type="submit" class="button primary">{t("catalogue.look")}</button>
          {unsaved && <button type="button" class="button" onClick={() => begin(told)}>{t("catalogue.revert")}</button>}
          {unsaved && <span class="hint" role="status">{t("catalogue.unsaved")}</span>}
        </div>
        {draft.written === "form" && <p class="hint">{t("catalogue.form.hint")}</p>}
      </form>
      {changes && <Confirm kind={told.kind} text={asked(draft, base.body)} lines={changes} close={() => setChanges(undefined)}
        refused={(found) => { setChanges(undefined); tell(found); }} overtaken={saved}
        done={(version) => { setDone(version); setChanges(undefined); settle(true); saved(); }} />}
      {guard.to !== null && <Leaving name={lookup(`catalogue.${told.kind}`, told.kind)} stay={guard.stay} leave={() => { keepDraft(told.kind, null); guard.leave(); }} />}
    </>
  );
}
