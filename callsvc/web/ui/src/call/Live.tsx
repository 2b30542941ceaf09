/** A call that goes on, for whoever supervises it: its captions, for a reason, like what has been said in any other. */
import { api, type Shape } from "../api/client";
import { Captions } from "../desk/Captions";
import { t } from "../locale";
import { may } from "../session";
import { ReasonGate } from "./ReasonGate";

export function Live({ call, reload }: { call: Shape<"CallDetail">; reload: () => void }) {
  if (!may("captions.read") || !may("call.open")) return null;
  if (call.opened) return <Captions call={call.id} />;
  return (
    <ReasonGate title={t("live.gate")} go={t("live.open")} opened={reload} before={call.reason_before}
      open={(reason) => api.post("/api/calls/{call_id}/access", { path: { call_id: call.id }, body: { reason } })} />
  );
}
