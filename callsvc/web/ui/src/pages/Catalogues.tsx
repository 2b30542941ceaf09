/** What an administrator edits: line profiles, checklists, legal bases, what quality review asks. */
import { api } from "../api/client";
import { moment } from "../format";
import { lookup, t } from "../locale";
import { useResource } from "../resource";
import { catalogueAddress } from "../router";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";

export function Catalogues() {
  const found = useResource((signal) => api.get("/api/catalogues", { signal }), []);
  return (
    <Page title={t("catalogues.title")} lead={t("catalogues.lead")}>
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      <ul class="call-list">
        {found.data?.catalogues.map((one) => (
          <li key={one.kind}>
            <a class="catalogue-row" href={catalogueAddress(one.kind)}>
              <span><span class="catalogue-name">{lookup(`catalogue.${one.kind}`, one.kind)}</span>
                <span class="hint">{lookup(`catalogue.${one.kind}.hint`, "")}</span></span>
              <span class="aside">{one.latest
                ? t("catalogues.latest", { n: one.version, at: moment(one.latest.at), who: one.latest.by?.display_name ?? t("log.service") })
                : t("catalogues.packaged")}</span>
              <span class="call-go"><Icon name="arrow" size={18} /></span>
            </a>
          </li>
        ))}
      </ul>
    </Page>
  );
}
