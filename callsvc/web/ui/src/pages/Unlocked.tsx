/** Where the provider's window ends after unlocking: the page that was locked is open again, this one is done. */
import { useEffect } from "preact/hooks";
import { t } from "../locale";
import { Page } from "../parts/Page";

export function Unlocked() {
  useEffect(() => {
    const channel = new BroadcastChannel("callsvc.lock");
    channel.postMessage("unlocked");
    channel.close();
  }, []);
  return <Page title={t("unlocked.title")} lead={t("unlocked.lead")}>{null}</Page>;
}
