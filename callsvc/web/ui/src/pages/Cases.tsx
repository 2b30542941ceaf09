/** The investigator's way in: search in every call, or a case by its number; those with the latest call first. */
import { api } from "../api/client";
import { numberSought, Search, searching } from "../case/Search";
import { moment } from "../format";
import { t, tn } from "../locale";
import { HandedOver } from "../call/HandedOver";
import { useResource } from "../resource";
import { caseAddress } from "../router";
import { may } from "../session";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";

export function Cases() {
  const beginning = numberSought();
  const found = useResource((signal) => api.get("/api/cases", { query: { beginning }, signal }), [beginning], ["shift"]);
  return (
    <Page title={t("cases.title")} lead={t("cases.lead")}>
      <HandedOver />
      {may("search.all") && <Search />}
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      {found.data && !searching() && (found.data.cases.length === 0 ? <p class="empty">{beginning ? t("cases.none.such") : t("cases.none")}</p> : (
        <section aria-labelledby="latest">
          <h2 id="latest">{t("cases.latest")}</h2>
          <ul class="call-list">
            {found.data.cases.map((one) => (
              <li key={one.number}>
                <a class="case-row" href={caseAddress(one.number)}>
                  <span class="case-number">{one.number}</span>
                  <span>{tn("calls.count", one.calls)}</span>
                  <span class="aside">{t("cases.last", { at: moment(one.last_at) })}</span>
                  <span class="call-go"><Icon name="arrow" size={18} /></span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Page>
  );
}
