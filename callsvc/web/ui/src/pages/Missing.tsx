/** Nothing here, or nothing that this person may see: the two are told apart to nobody. */
import { t } from "../locale";
import { addresses } from "../router";
import { Page } from "../parts/Page";

export function Missing() {
  return (
    <Page title={t("missing.title")} lead={t("missing.lead")}>
      <p><a class="button" href={addresses.calls}>{t("missing.go")}</a></p>
    </Page>
  );
}
