/** One call: its facts and its proof for all who may know of it; its sound and its words for a reason. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { Care } from "../care/Care";
import { AskHold } from "../call/AskHold";
import { Beside } from "../call/Beside";
import { Disclosing } from "../call/Disclosing";
import { Facts } from "../call/Facts";
import { PassOn } from "../call/HandOver";
import { Live } from "../call/Live";
import { Player } from "../call/Player";
import { Proof } from "../call/Proof";
import { ReasonGate } from "../call/ReasonGate";
import { Sound } from "../call/sound";
import { Transcript } from "../call/Transcript";
import { profileName, recordingSaid } from "../call/words";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { addresses } from "../router";
import { may } from "../session";
import { Clock, serviceTimeIs } from "../parts/Clock";
import { focusOn } from "../parts/arrive";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";

export function Call({ id }: { id: string }) {
  const [sound] = useState(() => new Sound(id));
  // What would leave is looked at, and that look is logged, only when somebody means to hand out.
  const [handing, setHanding] = useState(false);
  const [entered, setEntered] = useState(false);
  const found = useResource(async (signal) => {
    const answer = await api.get("/api/calls/{call_id}", { path: { call_id: id }, signal });
    serviceTimeIs(answer.now);
    return answer;
  }, [id], [`call:${id}`, "calls"]);
  const call = found.data;
  // Whoever gave a reason wants to hear and read: the reason is gone from the page, and the keyboard is there.
  useEffect(() => {
    if (entered && call?.opened) focusOn("player");
  }, [entered, call?.opened]);
  const back = <p class="way-back"><a href={addresses.calls}><Icon name="left" size={18} />{t("call.back")}</a></p>;
  if (!call) {
    return (
      <Page title={t("call.title")} before={back}>
        {found.problem && <Fault problem={found.problem} retry={found.reload} />}
      </Page>
    );
  }
  const live = call.state === "live" && call.started_at;
  const recording = recordingSaid(call);
  return (
    <Page before={back} title={t("call.titled", { line: profileName(call.profile), at: moment(call.started_at ?? call.created_at) })}>
      <p class="call-states">
        {live
          ? <State tone={recording.tone}>{recording.words} <Clock since={live} /></State>
          : <State tone={recording.tone}>{recording.words}</State>}
        {call.demo && <span class="tag">{t("calls.demo.tag")}</span>}
      </p>
      {call.degraded && <Notice tone="warn" title={t("quiet.degraded")}><p>{t("quiet.degraded.hint")}</p></Notice>}
      <Proof call={call} />
      {call.state === "ended" && may("call.open") && (call.opened
        ? <>
          <Care call={call} sound={sound} />
          <Player call={call} sound={sound} />
          <Transcript call={call} sound={sound} />
          {may("notes.read") && <Beside call={call} sound={sound} />}
          <PassOn call={call} sound={sound} />
          {may("hold.ask") && <AskHold call={call.id} />}
          {may("disclosure.decide") && call.transcript?.state === "done" && (handing ? <Disclosing call={call} />
            : <p><button type="button" class="button" onClick={() => setHanding(true)}>{t("disclose.open")}</button></p>)}
        </>
        : <ReasonGate title={t("gate.title")} go={t("gate.open")} opened={() => { found.reload(); setEntered(true); }} before={call.reason_before}
          open={(reason) => api.post("/api/calls/{call_id}/access", { path: { call_id: call.id }, body: { reason } })} />)}
      {call.state === "ended" && !may("call.open") && <PassOn call={call} sound={null} />}
      {call.state === "live" && <Live call={call} reload={found.reload} />}
      {call.state === "ended" && !may("call.open") && <Notice tone="quiet" title={t("call.closed")}><p>{t("call.closed.hint")}</p></Notice>}
      <Facts call={call} />
    </Page>
  );
}
