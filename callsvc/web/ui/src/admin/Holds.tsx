/** Orders to keep calls, and the days that cases were closed: placed with a reason, lifted with a reason, never forgotten. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { profileName } from "../call/words";
import { date, moment } from "../format";
import { t, tn } from "../locale";
import { callAddress } from "../router";
import { may } from "../session";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";

type Hold = Shape<"HoldOut">;

export function Holds({ told, place, done }: { told: Shape<"HoldList">; place: () => void; done: () => void }) {
  const [lifting, lift] = useState<Hold>();
  const [closing, close] = useState(false);
  const decides = may("retention.decide");
  return (
    <>
      <section aria-labelledby="holds">
        <h2 id="holds">{t("holds.title")}</h2>
        <p class="hint">{t("holds.lead")}</p>
        {decides && <button type="button" class="button" onClick={place}>{t("holds.new")}</button>}
        {told.holds.length === 0 ? <p class="empty">{t("holds.none")}</p> : (
          <div class="card table-card"><table class="cards">
            <thead><tr><th scope="col">{t("holds.what")}</th><th scope="col">{t("holds.why")}</th><th scope="col">{t("holds.who")}</th><th scope="col">{t("holds.state")}</th><td /></tr></thead>
            <tbody>
              {told.holds.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.call_id ? <a href={callAddress(one.call_id)}>{t("holds.one_call")}</a> : t("holds.case", { number: one.case_number ?? "" })}
                    <span class="aside">{tn("calls.count", one.calls)}</span></th>
                  <td data-label={t("holds.why")}>{one.reason}</td>
                  <td data-label={t("holds.who")}>{one.by?.display_name ?? t("log.service")} <span class="aside"><time datetime={one.at}>{moment(one.at)}</time></span></td>
                  <td data-label={t("holds.state")}>{one.lifted_at
                    ? <><State tone="quiet">{t("holds.lifted", { at: moment(one.lifted_at), who: one.lifted_by?.display_name ?? t("log.service") })}</State> <span class="aside">{one.lifted_why}</span></>
                    : <State tone="good">{t("holds.holds")}</State>}</td>
                  <td class="end">{!one.lifted_at && decides && <button type="button" class="button small" onClick={() => lift(one)}>{t("holds.lift")}</button>}</td>
                </tr>
              ))}
            </tbody>
          </table></div>
        )}
      </section>
      <section aria-labelledby="closings">
        <h2 id="closings">{t("closings.title")}</h2>
        <p class="hint">{t("closings.lead")}</p>
        {decides && <button type="button" class="button" onClick={() => close(true)}>{t("closings.new")}</button>}
        {told.closings.length === 0 ? <p class="empty">{t("closings.none")}</p> : (
          <ul class="card closings">
            {told.closings.map((one) => <Closed key={one.case_number} told={one} done={done} />)}
          </ul>
        )}
      </section>
      {lifting && <Lift hold={lifting} close={() => lift(undefined)} done={() => { lift(undefined); done(); }} />}
      {closing && <Close close={() => close(false)} done={() => { close(false); done(); }} />}
    </>
  );
}

/** A call that was pointed at, or whatever is written. */
export function Holding({ call, close, done }: { call: Shape<"RetentionCall"> | undefined; close: () => void; done: () => void }) {
  const [number, setNumber] = useState("");
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    api.post("/api/retention/holds", { body: { call_id: call?.id ?? null, case_number: call ? null : number, reason } })
      .then(done).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={call ? t("holds.this", { call: `${profileName(call.profile)}, ${moment(call.started_at)}` }) : t("holds.new")} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        {!call && <Field label={t("holds.number")} value={number} change={setNumber} hint={t("holds.number.hint")} autofocus />}
        <Field label={t("holds.why")} value={reason} change={setReason} hint={t("holds.why.hint")} spellcheck autofocus={call !== undefined} />
        <div class="row"><button type="submit" class="button primary">{t("holds.place")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}

function Lift({ hold, close, done }: { hold: Hold; close: () => void; done: () => void }) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    api.post("/api/retention/holds/{hold_id}/lifting", { path: { hold_id: hold.id }, body: { reason } })
      .then(done).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("holds.lift.title")} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        <p>{t("holds.lift.words")}</p>
        <Field label={t("holds.lift.why")} value={reason} change={setReason} spellcheck autofocus />
        <div class="row"><button type="submit" class="button primary">{t("holds.lift")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}

function Close({ close, done }: { close: () => void; done: () => void }) {
  const [number, setNumber] = useState("");
  const [on, setOn] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event) => {
    event.preventDefault();
    api.put("/api/retention/closings/{number}", { path: { number }, body: { closed_on: on } })
      .then(done).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("closings.new")} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        <Field label={t("holds.number")} value={number} change={setNumber} autofocus />
        <label class="field"><span>{t("closings.on")}</span><input type="date" value={on} required onChange={(event) => setOn(event.currentTarget.value)} /></label>
        <div class="row"><button type="submit" class="button primary">{t("closings.save")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}

function Closed({ told, done }: { told: Shape<"ClosingOut">; done: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const reopen = () => {
    api.post("/api/retention/closings/{number}/reopening", { path: { number: told.case_number } })
      .then(done).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <li>
      {problem && <Fault problem={problem} />}
      <p><strong>{told.case_number}</strong> {t("closings.closed", { on: date(told.closed_on) })}
        <span class="aside"> {t("closings.said", { who: told.by?.display_name ?? t("log.service"), at: moment(told.at) })}</span></p>
      {may("retention.decide") && <button type="button" class="button small" onClick={reopen} aria-label={t("closings.reopen.of", { number: told.case_number })}>{t("closings.reopen")}</button>}
    </li>
  );
}
