/** A call is opened for a reason, which is kept. Nothing is heard or read before. */
import { useState } from "preact/hooks";
import { Problem } from "../api/client";
import { t, type Key } from "../locale";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";

const reasons = ["investigation", "review", "disclosure", "complaint", "technical"] as const;
const LEAST = 5;
const MOST = 500;

/** For one call, or for every call of a case at once. */
type Props = {
  title: string;
  go: string;
  note?: string;
  /** What was given for another call of the same case: taken up again by one press. */
  before?: string | null;
  open: (reason: string) => Promise<unknown>;
  opened: () => void;
};

export function ReasonGate({ title, go, note: begun = "", before = null, open, opened }: Props) {
  const [chosen, choose] = useState<string>("");
  const [note, setNote] = useState(begun);
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const label = chosen ? t(`reason.${chosen}` as Key) : "";
  const reason = [label, note.trim()].filter(Boolean).join(": ");
  const missing = tried && reason.length < LEAST;

  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (reason.length >= LEAST) give(reason);
  };
  const give = (why: string) => {
    open(why)
      .then(opened)
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };

  return (
    <section class="card gate" aria-labelledby="gate">
      <div class="gate-mark" aria-hidden="true"><Icon name="lock" size={28} /></div>
      <div>
        <h2 id="gate">{title}</h2>
        <p>{t("gate.lead")}</p>
        {problem && <Fault problem={problem} />}
        {before && <p><button type="button" class="button" onClick={() => give(before)}><Icon name="eye" />{t("gate.again", { reason: before })}</button></p>}
        <form onSubmit={submit}>
          <fieldset aria-describedby={missing ? "gate-fault" : undefined}>
            <legend>{t("gate.reason")}</legend>
            <div class="chips">
              {reasons.map((name) => (
                <label key={name} class="chip">
                  <input type="radio" name="reason" value={name} checked={chosen === name} onChange={() => choose(name)} />
                  <span>{t(`reason.${name}`)}</span>
                </label>
              ))}
            </div>
          </fieldset>
          <div class="field">
            <label for="gate-note">{t("gate.note")}</label>
            <textarea id="gate-note" rows={2} maxLength={MOST - 60} value={note} aria-invalid={missing ? "true" : undefined}
              aria-describedby={missing ? "gate-hint gate-fault" : "gate-hint"} onInput={(event) => setNote(event.currentTarget.value)} />
            <p class="hint" id="gate-hint">{t("gate.hint")}</p>
            {missing && <p class="field-fault" id="gate-fault" role="alert">{t("gate.missing")}</p>}
          </div>
          <button type="submit" class="button primary"><Icon name="eye" />{go}</button>
        </form>
      </div>
    </section>
  );
}
