/** Consents of a call: who, to what, given or refused, where it was said; withdrawn ones stay to be seen. */
import { useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { clock } from "../format";
import { t } from "../locale";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import type { Leg } from "../phone/leg";
import { said, type Beside, type Guides } from "./beside";

type Props = { call: string; guides: Guides; beside: Beside; reload: () => void; atMs: number | null; leg: Leg | null };

export function Consents({ call, guides, beside, reload, atMs, leg }: Props) {
  const [what, setWhat] = useState(guides.consents[0]?.id ?? "");
  const [problem, setProblem] = useState<Problem>();
  const fail = (fault: unknown) => setProblem(Problem.of(fault));
  // In the recording itself, too, while the call runs: sealed with the sound in which it was said.
  const mark = (text: string) => {
    if (atMs !== null) leg?.channel.command({ do: "marker", kind: "consent", text }).catch(() => undefined);
  };
  const record = (given: boolean) => {
    setProblem(undefined);
    api.post("/api/calls/{call_id}/consents", { path: { call_id: call }, body: { who: t("leg.caller"), what, given, at_ms: atMs } }).then(reload).catch(fail);
    mark(`${what}/${given ? "given" : "refused"}`);
  };
  const withdraw = (id: string, of: string) => {
    api.post("/api/calls/{call_id}/consents/{consent_id}/withdrawal", { path: { call_id: call, consent_id: id } }).then(reload).catch(fail);
    mark(`${of}/withdrawn`);
  };
  const name = (id: string) => {
    const found = guides.consents.find((one) => one.id === id);
    return found ? said(found) : id;
  };
  return (
    <fieldset class="consents">
      <legend>{t("consent.title")}</legend>
      {problem && <Fault problem={problem} />}
      {beside.consents.length > 0 && (
        <ul class="plain">
          {beside.consents.map((one) => (
            <li key={one.id} class="consent">
              <State tone={one.withdrawn_at ? "quiet" : one.given ? "good" : "warn"}>
                {t(one.withdrawn_at ? "consent.withdrawn" : one.given ? "consent.given" : "consent.refused", { who: one.who, what: name(one.what) })}
              </State>
              {one.at_ms !== null && <span class="aside">{clock(one.at_ms / 1000)}</span>}
              {one.given && !one.withdrawn_at && <button type="button" class="link" onClick={() => withdraw(one.id, one.what)}>{t("consent.withdraw")}</button>}
            </li>
          ))}
        </ul>
      )}
      <div class="row">
        <select aria-label={t("consent.what")} value={what} onChange={(event) => setWhat(event.currentTarget.value)}>
          {guides.consents.map((one) => <option key={one.id} value={one.id}>{said(one)}</option>)}
        </select>
        <button type="button" class="button" onClick={() => record(true)}>{t("consent.yes")}</button>
        <button type="button" class="button" onClick={() => record(false)}>{t("consent.no")}</button>
      </div>
    </fieldset>
  );
}
