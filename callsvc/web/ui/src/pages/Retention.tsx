/** How long calls are kept: what would be deleted tonight and by which rule, why the others stay, and what is held. */
import { useState } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { useGuides } from "../desk/beside";
import { Bar } from "../admin/Bar";
import { DriftTabs } from "../admin/DriftTabs";
import { Holding, Holds } from "../admin/Holds";
import { HoldsAsked } from "../admin/HoldsAsked";
import { follows, howLong, OUTCOMES, which, type Night, type Outcome, type Rule } from "../admin/retention";
import { profileName } from "../call/words";
import { clock, date, moment, number } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { callAddress, catalogueAddress } from "../router";
import { may } from "../session";
import { said } from "../review/words";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";

export function Retention() {
  const [outcome, show] = useState<Outcome>("due");
  const [rule, only] = useState("");
  const [night, on] = useState("");
  const [offset, from] = useState(0);
  const [holding, hold] = useState<Shape<"RetentionCall"> | "new">();
  const query = { outcome, rule, night };
  const found = useResource((signal) => api.get("/api/retention", { query: { ...query, offset }, signal }), [outcome, rule, night, offset]);
  const orders = useResource((signal) => api.get("/api/retention/holds", { signal }), []);
  const told = found.data;
  const again = () => { found.reload(); orders.reload(); };
  const choose = (what: Outcome, of = "") => { show(what); only(of); from(0); };
  return (
    <Page title={t("retention.title")} lead={t("retention.lead")} before={<DriftTabs />}
      actions={may("rules.edit") && <a class="button" href={catalogueAddress("retention")}><Icon name="pencil" size={18} />{t("retention.edit")}</a>}>
      {found.problem && <Fault problem={found.problem} retry={found.reload} />}
      {orders.data && <HoldsAsked asked={orders.data.asked} done={again} />}
      {!told && !found.problem && <p role="status"><State tone="busy">{t("retention.judging")}</State></p>}
      {told && (
        <>
          <div class="card keep-tonight">
            <p class="overall-words" role="status">{night ? tn("retention.that_night", told.due, { at: date(told.night) }) : tn("retention.tonight", told.due)}</p>
            <p class="hint">{t("retention.nothing")}</p>
            <label class="field inline short"><span>{t("retention.night")}</span>
              <input type="date" value={night} min={night ? undefined : told.night} onChange={(event) => { on(event.currentTarget.value); from(0); }} /></label>
          </div>
          <Rules told={told} choose={choose} />
          <Calls told={told} outcome={outcome} rule={rule} choose={choose} more={from} hold={hold}
            file={new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString()} />
        </>
      )}
      {orders.problem && !orders.data && <Fault problem={orders.problem} retry={orders.reload} />}
      {orders.data && <Holds told={orders.data} place={() => hold("new")} done={again} />}
      {holding && <Holding call={holding === "new" ? undefined : holding} close={() => hold(undefined)} done={() => { hold(undefined); again(); }} />}
    </Page>
  );
}

function Rules({ told, choose }: { told: Night; choose: (what: Outcome, of: string) => void }) {
  const labels = useGuides()?.labels;
  const label = (id: string) => {
    const found = labels?.find((one) => one.id === id);
    return found ? said(found) : id;
  };
  const most = Math.max(1, ...told.rules.map((one) => one.due + one.held + one.waiting));
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">{t("retention.rules")}</h2>
      <ul class="card keep-rules">
        {told.rules.map((one, n) => (
          <li key={one.id}>
            <div class="keep-words">
              <h3>{said(one)}</h3>
              <p>{howLong(one)}</p>
              <p class="aside">{which(one, label).map((words) => `${words} · `)}<span lang="sv">{one.basis}</span></p>
              {one.unknown_labels.length > 0 && <Notice tone="warn" title={t("retention.unknown_label", { labels: one.unknown_labels.join(", ") })} />}
            </div>
            <div>
              <Bar rule={one} most={most} n={n} />
              {one.due > 0 && <button type="button" class="link" onClick={() => choose("due", one.id)} aria-label={t("retention.show.of", { rule: said(one) })}>{t("retention.show")}</button>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Listing = {
  told: Night; outcome: Outcome; rule: string; file: string;
  choose: (what: Outcome, of?: string) => void; more: (offset: number) => void; hold: (call: Shape<"RetentionCall">) => void;
};

function Calls({ told, outcome, rule, file, choose, more, hold }: Listing) {
  const byId = (id: string | null): Rule | undefined => told.rules.find((one) => one.id === id);
  const named = byId(rule);
  const total = named && outcome !== "unruled" ? named[outcome] : told[outcome];
  return (
    <section aria-labelledby="calls">
      <h2 id="calls">{t("retention.calls")}</h2>
      <div class="filters">
        <fieldset class="segments-field"><legend>{t("retention.which")}</legend>
          <div class="segments">
            {OUTCOMES.map((one) => (
              <label key={one} class="segment"><input type="radio" name="outcome" checked={outcome === one} onChange={() => choose(one, one === "unruled" ? "" : rule)} />
                <span>{t(`retention.${one}`)} {number(told[one])}</span></label>
            ))}
          </div>
        </fieldset>
        {outcome !== "unruled" && <label class="field inline"><span>{t("retention.rule")}</span>
          <select value={rule} onChange={(event) => choose(outcome, event.currentTarget.value)}>
            <option value="">{t("retention.every_rule")}</option>
            {told.rules.map((one) => <option key={one.id} value={one.id}>{said(one)}</option>)}
          </select></label>}
        <a class="button" target="_self" download href={`/api/retention/export.csv?${file}`}><Icon name="down" size={18} />{t("log.export")}</a>
      </div>
      <p class="hint">{t(`retention.why.${outcome}`)}</p>
      {told.calls.length === 0 ? <p class="empty">{t("retention.no_calls")}</p> : (
        <div class="card table-card">
          <table class="cards">
            <thead><tr><th scope="col">{t("retention.call")}</th><th scope="col">{t("retention.rule")}</th><th scope="col">{t("retention.last_day")}</th><th scope="col">{t("retention.follow")}</th><td /></tr></thead>
            <tbody>
              {told.calls.map((one) => (
                <tr key={one.id}>
                  <th scope="row"><a href={callAddress(one.id)}>{profileName(one.profile)}, {moment(one.started_at)}</a>
                    <span class="aside">{one.length_ms !== null && `${clock(one.length_ms / 1000)} · `}{one.demo ? t("calls.demo.tag") : t(`retention.case.${one.case}`)}</span></th>
                  <td data-label={t("retention.rule")}>{(() => { const its = byId(one.rule); return its ? <>{said(its)} <span class="aside" lang="sv">{its.basis}</span></> : t("retention.unruled"); })()}</td>
                  <td data-label={t("retention.last_day")}>{one.last_day ? <time datetime={one.last_day}>{date(one.last_day)}</time> : t("retention.no_day")}</td>
                  <td data-label={t("retention.follow")}>{follows(one.follow)}</td>
                  <td class="end">{outcome !== "held" && may("retention.decide") && <button type="button" class="button small" onClick={() => hold(one)}
                    aria-label={t("holds.this", { call: `${profileName(one.profile)}, ${moment(one.started_at)}` })}>{t("holds.place")}</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pages told={told} total={total} more={more} />
    </section>
  );
}

const PAGE = 50;

function Pages({ told, total, more }: { told: Night; total: number; more: (offset: number) => void }) {
  const first = told.next === null ? total - told.calls.length : told.next - PAGE;
  if (first <= 0 && told.next === null) return null;
  return (
    <div class="row keep-pages">
      <button type="button" class="button" disabled={first <= 0} onClick={() => more(Math.max(0, first - PAGE))}>{t("retention.before")}</button>
      <span class="aside" role="status">{t("retention.part", { from: number(first + 1), to: number(first + told.calls.length), of: number(total) })}</span>
      <button type="button" class="button" disabled={told.next === null} onClick={() => more(told.next ?? 0)}>{t("retention.next")}</button>
    </div>
  );
}
