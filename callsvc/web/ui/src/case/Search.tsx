/** Search in every call: what was said, for a purpose that is kept; and what is known of a call. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { lookup, t, type Key } from "../locale";
import { Field } from "../parts/Field";
import { focusOn } from "../parts/arrive";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Found } from "./Found";

type Sought = Shape<"Sought">;
type Call = Shape<"FoundCallOut">;
type Form = { text: string; reason: string; note: string; case: string; operator: string; language: string; profile: string; since: string; until: string; least: string; most: string };

const nothing: Form = { text: "", reason: "", note: "", case: "", operator: "", language: "", profile: "", since: "", until: "", least: "", most: "" };
const reasons = ["investigation", "disclosure", "complaint"] as const;
const profiles = ["emergency", "report", "interview"] as const;
const languages = ["sv", "en", "ar", "so", "pl", "ti"] as const;

/** Kept while the pages are open, so that one comes back from a call to what one had found. */
const form = signal<Form>(nothing);
const found = signal<{ calls: Call[]; next: string | null } | null>(null);

function asked(of: Form, after: string): Sought {
  const minutes = (text: string) => (text.trim() && Number.isFinite(Number(text)) ? Math.round(Number(text) * 60_000) : null);
  const day = (text: string, after: number) => {
    if (!text) return null;
    const at = new Date(`${text}T00:00:00`);
    at.setDate(at.getDate() + after);
    return at.toISOString();
  };
  return {
    text: of.text, case: of.case, operator: of.operator, language: of.language, after,
    purpose: [of.reason && lookup(`reason.${of.reason}`, of.reason), of.note.trim()].filter(Boolean).join(": "),
    profile: (of.profile || null) as Sought["profile"] & (string | null),
    since: day(of.since, 0), until: day(of.until, 1), least_ms: minutes(of.least), most_ms: minutes(of.most),
  };
}

export function searching(): boolean {
  return found.value !== null;
}

export function Search() {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [lacking, setLacking] = useState(false);
  const now = form.value;
  const set = (part: Partial<Form>) => (form.value = { ...form.value, ...part });
  const narrowed = [now.operator, now.language, now.profile, now.since, now.until, now.least, now.most].filter(Boolean).length;
  const look = (after: string) => {
    const body = asked(form.value, after);
    const missing = Boolean(body.text.trim()) && body.purpose.length < 5;
    setLacking(missing);
    if (missing || busy) return;
    setBusy(true);
    setProblem(undefined);
    api.post("/api/search/calls", { body })
      .then((answer) => {
        const before = after ? found.value?.calls ?? [] : [];
        found.value = { calls: joined(before, answer.calls), next: answer.next };
      })
      .catch((fault: unknown) => setProblem(Problem.of(fault)))
      .finally(() => setBusy(false));
  };
  const clear = () => {
    form.value = nothing;
    found.value = null;
    setProblem(undefined);
    setLacking(false);
    focusOn("seek-text");
  };
  return (
    <>
      <form class="card seek" role="search" aria-label={t("seek.title")} onSubmit={(event) => { event.preventDefault(); look(""); }}>
        <div class="seek-main">
          <label for="seek-text">{t("seek.text")}</label>
          <div class="told-form">
            <input id="seek-text" type="search" value={now.text} onInput={(event) => set({ text: event.currentTarget.value })} aria-describedby="seek-hint" />
            <button type="submit" class="button primary" aria-disabled={busy}><Icon name="search" />{t("seek.go")}</button>
          </div>
          <p class="hint" id="seek-hint">{t("seek.hint")}</p>
        </div>
        <div class="seek-case">
          <Field label={t("cases.number")} value={now.case} change={(number) => set({ case: number })} required={false} />
          {found.value && <button type="button" class="button" onClick={clear}>{t("seek.clear")}</button>}
        </div>
        {now.text.trim() && (
          <fieldset class="seek-purpose" aria-describedby={lacking ? "seek-lacking" : undefined}>
            <legend>{t("seek.purpose")}</legend>
            <div class="chips">
              {reasons.map((one) => (
                <label key={one} class="chip"><input type="radio" name="seek-reason" checked={now.reason === one} onChange={() => set({ reason: one })} /><span>{t(`reason.${one}` as Key)}</span></label>
              ))}
            </div>
            <Field label={t("seek.note")} value={now.note} change={(note) => set({ note })} required={false} />
            {lacking && <p class="field-fault" id="seek-lacking" role="alert">{t("seek.lacking")}</p>}
          </fieldset>
        )}
        <details class="seek-more" open={narrowed > 0}>
          <summary>{t("seek.more")}{narrowed > 0 && <span class="count">{narrowed}</span>}</summary>
          <div class="seek-fields">
            <Choice label={t("facts.line")} value={now.profile} options={profiles.map((one) => [one, lookup(`profile.${one}`, one)])} change={(profile) => set({ profile })} />
            <Choice label={t("seek.language")} value={now.language} options={languages.map((one) => [one, lookup(`language.${one}`, one)])} change={(language) => set({ language })} />
            <Field label={t("seek.operator")} value={now.operator} change={(operator) => set({ operator })} required={false} />
            <Day label={t("seek.since")} value={now.since} change={(since) => set({ since })} />
            <Day label={t("seek.until")} value={now.until} change={(until) => set({ until })} />
            <Field label={t("seek.least")} value={now.least} change={(least) => set({ least })} required={false} />
            <Field label={t("seek.most")} value={now.most} change={(most) => set({ most })} required={false} />
          </div>
        </details>
      </form>
      {problem && <Fault problem={problem} />}
      {found.value && <Found calls={found.value.calls} more={found.value.next === null ? null : () => look(found.value?.next ?? "")} sought={now.text.trim() !== ""} />}
    </>
  );
}

/** The number that is typed in, for the list of cases below. */
export function numberSought(): string {
  return form.value.case;
}

/** A call whose sentences go on in the next answer is one call. */
function joined(before: readonly Call[], after: readonly Call[]): Call[] {
  const last = before.at(-1);
  const first = after[0];
  if (!last || !first || last.call_id !== first.call_id) return [...before, ...after];
  return [...before.slice(0, -1), { ...last, sentences: [...last.sentences, ...first.sentences] }, ...after.slice(1)];
}

function Choice({ label, value, options, change }: { label: string; value: string; options: [string, string][]; change: (value: string) => void }) {
  return (
    <div class="field"><label>{label}
      <select value={value} onChange={(event) => change(event.currentTarget.value)}>
        <option value="">{t("seek.any")}</option>
        {options.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
      </select>
    </label></div>
  );
}

function Day({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
  return <div class="field"><label>{label}<input type="date" value={value} onInput={(event) => change(event.currentTarget.value)} /></label></div>;
}
