/** A password that is shown once and kept nowhere. */
import { useState } from "preact/hooks";
import { t } from "../locale";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { Shape } from "./State";

export type Told = { name: string; password: string };

export function OneTime({ told, close }: { told: Told; close: () => void }) {
  const [copied, setCopied] = useState(false);
  return (
    <Dialog title={t("onetime.title")} close={close}>
      <p>{t("onetime.lead", { name: told.name })}</p>
      <p class="one-time"><code>{told.password}</code></p>
      <div class="row">
        <button type="button" class="button primary" onClick={() => void navigator.clipboard.writeText(told.password).then(() => setCopied(true))}><Icon name="copy" size={18} />{t("onetime.copy")}</button>
        <button type="button" class="button" onClick={close}>{t("onetime.done")}</button>
        <span role="status" class="state good">{copied && <><Shape tone="good" />{t("onetime.copied")}</>}</span>
      </div>
      <p class="hint">{t("onetime.hint")}</p>
    </Dialog>
  );
}
