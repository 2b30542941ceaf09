/** Handing out: a copy without chosen words, the legal basis and what it asks, exactly what leaves, and the decision. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { clock, momentWithSeconds, number, percent } from "../format";
import { lang, t, tn } from "../locale";
import { useResource } from "../resource";
import { said } from "../desk/beside";
import { useArrival, useReturn } from "../parts/arrive";
import { Field } from "../parts/Field";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import { begin, chosen, chosenRuns, end, lengthMs } from "./choosing";
import { stretch } from "./GoesNow";

const forms = ["pdf", "docx", "html", "txt", "vtt"] as const;

export function Disclosing({ call }: { call: Shape<"CallDetail"> }) {
  const path = { call_id: call.id };
  const bases = useResource((signal) => api.get("/api/legal-bases", { signal }), []);
  const copies = useResource((signal) => api.get("/api/calls/{call_id}/redactions", { path, signal }), [call.id]);
  const made = useResource((signal) => api.get("/api/calls/{call_id}/disclosures", { path, signal }), [call.id]);
  const title = useArrival<HTMLHeadingElement>();
  const [copy, setCopy] = useState("");
  const [basis, setBasis] = useState("");
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const [recipient, setRecipient] = useState("");
  const [motive, setMotive] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const leaving = useResource((signal) => api.get("/api/calls/{call_id}/leaving", { path, query: copy ? { copy } : {}, signal }), [call.id, copy]);
  useEffect(() => {
    lengthMs.value = call.length_ms ?? Infinity;
    return end;
  }, [call.length_ms]);
  const fail = (fault: unknown) => setProblem(Problem.of(fault));
  const found = bases.data?.bases.find((one) => one.id === basis);
  const decide = (granted: boolean) => {
    setProblem(undefined);
    api.post("/api/calls/{call_id}/disclosures", { path, body: { basis, answers, recipient, motive, granted, copy_id: copy || null } })
      .then(() => {
        setBasis("");
        setAnswers({});
        setRecipient("");
        setMotive("");
        made.reload();
      })
      .catch(fail);
  };
  const copyName = (id: string | null) => (id === null ? t("disclose.whole") : copies.data?.copies.find((one) => one.id === id)?.title ?? t("disclose.copy"));
  return (
    <section class="card disclosing" aria-labelledby="disclosing">
      <h2 id="disclosing" ref={title} tabIndex={-1}>{t("disclose.title")}</h2>
      <p class="hint">{t("disclose.lead")}</p>
      {problem && <Fault problem={problem} />}
      <Copying call={call.id} made={(id) => { copies.reload(); setCopy(id); }} fail={fail} />
      <form onSubmit={(event) => { event.preventDefault(); decide(true); }}>
        <fieldset>
          <legend>{t("disclose.what")}</legend>
          <div class="chips">
            {[{ id: "", title: t("disclose.whole") }, ...(copies.data?.copies ?? [])].map((one) => (
              <label key={one.id} class="chip"><input type="radio" name="copy" checked={copy === one.id} onChange={() => setCopy(one.id)} /><span>{one.title}</span></label>
            ))}
          </div>
        </fieldset>
        {leaving.data && (
          <details class="leaving">
            <summary>{t("disclose.leaves", { heard: clock(leaving.data.heard_ms / 1000), words: number(leaving.data.words) })}{leaving.data.silenced_ms > 0 && ` ${t("disclose.silenced", { s: number(leaving.data.silenced_ms / 1000, 1) })}`}</summary>
            {leaving.data.silenced.length > 0 && (
              <div>
                <p class="label">{t("disclose.stays")}</p>
                <ul class="plain">{leaving.data.silenced.map((one) => <li key={one.start_ms} class="clock">{stretch(one.start_ms, one.end_ms)}</li>)}</ul>
              </div>
            )}
            <ol class="note-list leaving-lines">{leaving.data.lines.map((line) => <li key={`${line.leg} ${line.start_ms}`}><span class="note-at clock">{stretch(line.start_ms, line.end_ms)}</span><span dir="auto">{line.text}</span></li>)}</ol>
          </details>
        )}
        <fieldset>
          <legend>{t("disclose.basis")}</legend>
          <div class="bases">
            {bases.data?.bases.map((one) => (
              <label key={one.id} class="check"><input type="radio" name="basis" checked={basis === one.id} onChange={() => setBasis(one.id)} /><span>{said(one)}<span class="hint">{one.source}</span></span></label>
            ))}
          </div>
        </fieldset>
        {found?.questions.map((one) => <Field key={`${found.id} ${one.id}`} label={said(one)} value={answers[one.id] ?? ""} change={(value) => setAnswers({ ...answers, [one.id]: value })} spellcheck />)}
        <Field label={t("disclose.recipient")} value={recipient} change={setRecipient} />
        <Field label={t("disclose.motive")} value={motive} change={setMotive} spellcheck />
        <div class="row">
          <button type="submit" class="button primary">{t("disclose.grant")}</button>
          <button type="button" class="button" onClick={() => decide(false)}>{t("disclose.refuse")}</button>
        </div>
      </form>
      {made.data && made.data.disclosures.length > 0 && (
        <div>
          <h3>{t("disclose.made")}</h3>
          <ul class="plain">
            {made.data.disclosures.map((one) => (
              <li key={one.id} class="decision">
                <State tone={one.granted ? "good" : "warn"}>{t(one.granted ? "disclose.granted" : "disclose.refused", { to: one.recipient, at: momentWithSeconds(one.at) })}</State>
                <span class="aside">{bases.data?.bases.filter((other) => other.id === one.basis).map(said).join("")}. {one.motive}</span>
                {one.granted && (
                  <span class="files">{copyName(one.copy_id)}{one.words !== null && `, ${tn("disclose.words", one.words)}`}:{" "}
                    {forms.map((form) => <a key={form} download href={`/api/calls/${call.id}/transcript/export?form=${form}&lang=${lang.value}${one.copy_id ? `&layer=redacted&copy=${one.copy_id}` : ""}`}>{form.toUpperCase()}</a>)}
                    {one.copy_id && <a download href={`/api/calls/${call.id}/redactions/${one.copy_id}/playback.wav`}>{t("disclose.sound")}</a>}
                  </span>
                )}
                {one.granted && call.tracks.length > 0 && <Packed call={call.id} disclosure={one.id} />}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

const LOOK_MS = 1000;

/** The signed copy that its receiver can check alone: made on demand, with what was decided and nothing else. */
function Packed({ call, disclosure }: { call: string; disclosure: string }) {
  const path = { call_id: call, disclosure_id: disclosure };
  const [problem, setProblem] = useState<Problem>();
  const found = useResource((signal) => api.get("/api/calls/{call_id}/disclosures/{disclosure_id}/bundle", { path, signal }), [call, disclosure]);
  const state = found.data?.state;
  const busy = state === "queued" || state === "running";
  useEffect(() => {
    if (!busy) return undefined;
    const timer = window.setInterval(found.reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [busy, found.reload]);
  const box = useRef<HTMLSpanElement>(null);
  const make = () => {
    setProblem(undefined);
    box.current?.focus(); // the button is gone while it is made
    api.post("/api/calls/{call_id}/disclosures/{disclosure_id}/bundle", { path }).then(found.reload)
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const share = Math.round((found.data?.progress ?? 0) * 100);
  return (
    <span class="packed" ref={box} tabIndex={-1}>
      {problem && <Fault problem={problem} />}
      {state === "failed" && <State tone="bad">{t(found.data?.error === "not_as_sealed" ? "bundle.not_as_sealed" : "bundle.failed")}</State>}
      {(state === "none" || state === "failed") && <button type="button" class="button small" onClick={make}>{t("bundle.make")}</button>}
      {busy && <><State tone="busy">{t("bundle.busy")}</State> <progress max={100} value={share} aria-label={t("bundle.busy")} /> {percent(share)}</>}
      <span role="status">{state === "done" && <a class="button small" download href={`/api/calls/${call}/disclosures/${disclosure}/bundle.zip`}>{t("bundle.fetch", { mb: number((found.data?.size ?? 0) / 1e6, 1) })}</a>}</span>
      {state === "done" && <span class="hint">{t("bundle.check")}</span>}
    </span>
  );
}

/** A copy without the words that are chosen in the text above. */
function Copying({ call, made, fail }: { call: string; made: (id: string) => void; fail: (fault: unknown) => void }) {
  const [title, setTitle] = useState("");
  const [reason, setReason] = useState("");
  const words = chosen.value;
  const back = useReturn<HTMLButtonElement>(words !== null);
  if (!words) return <p><button type="button" ref={back} class="button" onClick={begin}>{t("redact.begin")}</button></p>;
  const make = () => {
    api.post("/api/calls/{call_id}/redactions", { path: { call_id: call }, body: { title, chosen: chosenRuns().map((one) => ({ ...one, reason })) } })
      .then((copy) => {
        end();
        made(copy.id);
      })
      .catch(fail);
  };
  return (
    <div class="copying" id="copying" tabIndex={-1} role="group" aria-label={t("redact.begin")}>
      <Field label={t("redact.title")} value={title} change={setTitle} spellcheck />
      <Field label={t("redact.reason")} value={reason} change={setReason} spellcheck />
      <div class="row">
        <button type="button" class="button primary" aria-disabled={words.size === 0 || !title.trim() || !reason.trim()} onClick={() => words.size > 0 && make()}>{t("redact.make")}</button>
        <button type="button" class="button" onClick={end}>{t("dialog.cancel")}</button>
      </div>
    </div>
  );
}
