/** Asked before one leaves something unsaved. */
import { t } from "../locale";
import { Dialog } from "../parts/Dialog";

export function Leaving({ name, stay, leave }: { name: string; stay: () => void; leave: () => void }) {
  return (
    <Dialog title={t("leaving.title")} close={stay}>
      <p>{t("leaving.words", { name })}</p>
      <div class="row leaving-row">
        <button type="button" class="button primary" onClick={stay}>{t("leaving.stay")}</button>
        <button type="button" class="button danger" onClick={leave}>{t("leaving.leave")}</button>
      </div>
    </Dialog>
  );
}
