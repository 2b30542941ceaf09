/** Correcting an utterance in place: the text as it is to be, with what the machine heard beside it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { t } from "../locale";
import { Fault, Notice } from "../parts/Notice";

type Utterance = Shape<"UtteranceOut">;
type Props = { call: string; utterance: Utterance; close: () => void; changed: () => void };

export function Correcting({ call, utterance, close, changed }: Props) {
  const [text, setText] = useState(utterance.text);
  const [problem, setProblem] = useState<Problem>();
  // What was read when the writing began: a colleague who saves meanwhile is seen, and never overwritten unseen.
  const [base, setBase] = useState(utterance.version);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const path = { call_id: call, n: utterance.n };
  const done = (asked: Promise<unknown>) => {
    asked.then(() => { changed(); close(); }).catch((fault: unknown) => {
      setProblem(Problem.of(fault));
      // Somebody else was quicker: theirs is fetched, and what is written here stays.
      if (fault instanceof Problem && fault.code === "edited_meanwhile") changed();
    });
  };
  const save = () => done(api.put("/api/calls/{call_id}/transcript/utterances/{n}", { path, body: { version: base, text, why: "" } }));
  const undo = () => done(api.post("/api/calls/{call_id}/transcript/utterances/{n}/undo", { path, body: { version: base, why: "" } }));
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <form class="correcting" onSubmit={(event) => { event.preventDefault(); save(); }}>
      {problem && <Fault problem={problem} />}
      {utterance.version !== base && (
        <Notice tone="warn" title={t("correct.meanwhile")}>
          <blockquote>{utterance.text}</blockquote>
          <div class="row">
            <button type="button" class="button small" onClick={close}>{t("correct.theirs")}</button>
            <button type="button" class="button small" onClick={() => { setBase(utterance.version); box.current?.focus(); }}>{t("correct.mine")}</button>
          </div>
        </Notice>
      )}
      <textarea ref={box} rows={2} aria-label={t("correct.label")} aria-describedby={`machine-${utterance.n}`} value={text}
        onInput={(event) => setText(event.currentTarget.value)} onKeyDown={onKey} />
      <p class="hint" id={`machine-${utterance.n}`}>{t("correct.machine", { text: utterance.machine ?? utterance.text })}</p>
      <div class="row">
        <button type="submit" class="button small primary">{t("correct.save")}</button>
        <button type="button" class="button small" onClick={() => setText(utterance.machine ?? utterance.text)}>{t("correct.as_heard")}</button>
        {utterance.machine !== null && <button type="button" class="button small" onClick={undo}>{t("correct.undo")}</button>}
        <button type="button" class="button small bare" onClick={close}>{t("dialog.cancel")}</button>
      </div>
    </form>
  );
}
