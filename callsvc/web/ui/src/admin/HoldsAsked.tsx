/** Requests that a call be kept, each to be granted or refused. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { callAddress } from "../router";
import { may } from "../session";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Fault } from "../parts/Notice";

type Asked = Shape<"HoldAsked">;

export function HoldsAsked({ asked, done }: { asked: readonly Asked[]; done: () => void }) {
  const [refusing, refuse] = useState<Asked>();
  const [problem, setProblem] = useState<Problem>();
  const answer = (one: Asked, granted: boolean, words: string) =>
    api.post("/api/retention/hold-requests/{request_id}/answer", { path: { request_id: one.id }, body: { granted, words } })
      .then(() => { refuse(undefined); done(); }).catch((fault: unknown) => setProblem(Problem.of(fault)));
  if (asked.length === 0) return null;
  return (
    <section aria-labelledby="holds-asked">
      <h2 id="holds-asked">{t("holds.asked")}<span class="count">{asked.length}</span></h2>
      <p class="hint">{t("holds.asked.lead")}</p>
      {problem && <Fault problem={problem} />}
      <ul class="card closings">
        {asked.map((one) => (
          <li key={one.id}>
            <p><a href={callAddress(one.call_id)}>{t("holds.one_call")}</a>: {one.reason}
              <span class="aside"> {t("closings.said", { who: one.by?.display_name ?? t("log.service"), at: moment(one.at) })}</span></p>
            {may("retention.decide") && <div class="row">
              <button type="button" class="button small" onClick={() => void answer(one, true, "")}>{t("holds.place")}<span class="unseen"> {one.reason}</span></button>
              <button type="button" class="button small" onClick={() => refuse(one)}>{t("holds.refuse")}<span class="unseen"> {one.reason}</span></button>
            </div>}
          </li>
        ))}
      </ul>
      {refusing && <Refuse close={() => refuse(undefined)} send={(words) => void answer(refusing, false, words)} />}
    </section>
  );
}

function Refuse({ close, send }: { close: () => void; send: (words: string) => void }) {
  const [words, setWords] = useState("");
  return (
    <Dialog title={t("holds.refuse")} close={close}>
      <form onSubmit={(event) => { event.preventDefault(); send(words); }}>
        <p>{t("holds.refuse.words")}</p>
        <Field label={t("holds.refuse.why")} value={words} change={setWords} spellcheck autofocus />
        <div class="row"><button type="submit" class="button primary">{t("holds.refuse")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}
