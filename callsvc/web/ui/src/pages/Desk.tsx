/** The operator's page: the headset, being available, the call in hand. */
import { useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { InCall } from "../desk/InCall";
import { Hints } from "../desk/Hints";
import { Sound } from "../desk/Sound";
import { nameOf } from "../desk/lines";
import { clock, hour } from "../format";
import { t, tn } from "../locale";
import { Clock } from "../parts/Clock";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";
import * as devices from "../phone/devices";
import { come, elsewhere, last, leg, pause, problem, shift } from "../phone/shift";
import { may } from "../session";

export function Desk() {
  const now = shift.value;
  const mine = leg.value;
  const due = mine ? null : now?.to_write_up.find((one) => !one.later) ?? null;
  const call = mine?.call ?? due?.call_id;
  const profile = (mine ? now?.in_hand?.profile ?? last.value : due?.profile) ?? "";
  return (
    <Page title={t("desk.title")} {...(call ? {} : { lead: t("desk.lead") })}>
      {elsewhere.value && <Notice tone="warn" title={t("desk.elsewhere")}><p>{t("desk.elsewhere.do")}</p></Notice>}
      {problem.value && <Fault problem={problem.value} />}
      {call ? <InCall call={call} profile={profile} leg={mine} due={due} /> : (
        <>
          {now && <Standing />}
          <section class="card" aria-labelledby="sound">
            <h2 id="sound">{t("desk.sound")}</h2>
            <Sound measure />
            <Hints />
          </section>
          {now && <PutOff />}
          {may("demo.place") && <DemoCaller />}
        </>
      )}
    </Page>
  );
}

/** Calls whose writing-up was put off. */
function PutOff() {
  const later = shift.value?.to_write_up.filter((one) => one.later) ?? [];
  const [open, setOpen] = useState<string>();
  const shown = later.find((one) => one.call_id === open);
  if (later.length === 0) return null;
  return (
    <section aria-labelledby="put-off">
      <h2 id="put-off">{t("desk.put_off")}<span class="count">{later.length}</span></h2>
      <ul class="plain">
        {later.map((one) => (
          <li key={one.call_id}>
            <button type="button" class="button" aria-expanded={one.call_id === open} onClick={() => setOpen(one.call_id === open ? undefined : one.call_id)}>
              {t("wrap.call", { line: nameOf(one), at: hour(one.started_at), length: clock((one.length_ms ?? 0) / 1000) })}
            </button>
          </li>
        ))}
      </ul>
      {shown && <InCall key={shown.call_id} call={shown.call_id} profile={shown.profile} leg={null} due={shown} />}
    </section>
  );
}

function Standing() {
  const now = shift.value;
  if (!now || elsewhere.value) return null;
  const since = now.available_since;
  return (
    <section class={since ? "card standing on" : "card standing"} aria-label={t("desk.standing")}>
      <div>
        <p class="standing-words" role="status"><State tone={since ? "good" : "quiet"}>{since ? t("desk.available") : t("desk.not_available")}</State></p>
        <p class="hint">
          {since ? <>{t("desk.since")} <Clock since={since} />. </> : <>{t("desk.not_available.words")} </>}
          {tn("desk.waiting", now.waiting)}
        </p>
      </div>
      {since
        ? <button type="button" class="button" onClick={() => void pause()}><Icon name="pause" size={18} />{t("desk.pause")}</button>
        : <button type="button" class="button primary big" onClick={() => void come()}><Icon name="headset" />{t("desk.come")}</button>}
      {devices.trouble.value && !since && <Notice tone="bad" title={t("desk.no_sound")}><p>{t("desk.no_sound.do")}</p></Notice>}
    </section>
  );
}

function DemoCaller() {
  const [asked, setAsked] = useState(false);
  const [fault, setFault] = useState<Problem>();
  const ring = () => {
    setFault(undefined);
    setAsked(true);
    api.post("/api/demo-callers").catch((problem: unknown) => {
      setAsked(false);
      setFault(Problem.of(problem));
    });
  };
  return (
    <section class="card demo" aria-labelledby="demo-caller">
      <div class="demo-head">
        <div><h2 id="demo-caller">{t("desk.demo")}</h2><p>{t("desk.demo.words")}</p></div>
        <button type="button" class="button" onClick={ring}><Icon name="phone" />{t("desk.demo.ring")}</button>
      </div>
      {fault && <Fault problem={fault} />}
      {asked && <p role="status"><State tone="busy">{t("desk.demo.coming")}</State></p>}
    </section>
  );
}
