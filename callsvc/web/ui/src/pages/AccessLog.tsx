/** Who looked at what, when and why; and whether the log is whole. */
import { useCallback, useState } from "preact/hooks";
import { api, type Shape } from "../api/client";
import { momentWithSeconds, number } from "../format";
import { lookup, t, tn } from "../locale";
import { useResource } from "../resource";
import { callAddress } from "../router";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { Shape as Drawn, State } from "../parts/State";

type Page_ = Shape<"AccessEventList">;

export function AccessLog() {
  const [person, setPerson] = useState("");
  const [action, setAction] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [older, setOlder] = useState<Page_[]>([]);
  const query = { user_id: person, action, since: midnight(from, 0), until: midnight(to, 1) };
  const people = useResource((signal) => api.get("/api/access-events/people", { signal }), []);
  const first = useResource((signal) => {
    setOlder([]);
    return api.get("/api/access-events", { query, signal });
  }, [person, action, from, to], ["log"]);
  const next = (older.at(-1) ?? first.data)?.next;
  const more = useCallback(() => {
    if (next) void api.get("/api/access-events", { query: { ...query, before: next } }).then((list) => setOlder((lists) => [...lists, list]));
  }, [next, person, action, from, to]);
  const events = first.data && [first.data, ...older].flatMap((list) => list.events);
  return (
    <Page title={t("log.title")} lead={t("log.lead")}>
      <Chain />
      <div class="filters">
        <label class="field inline"><span>{t("log.person")}</span>
          <select value={person} onChange={(event) => setPerson(event.currentTarget.value)}>
            <option value="">{t("log.everybody")}</option>
            {people.data?.people.map((one) => <option key={one.id} value={one.id}>{`${one.display_name} (${one.name})`}</option>)}
          </select>
        </label>
        <label class="field inline"><span>{t("log.action")}</span>
          <select value={action} onChange={(event) => setAction(event.currentTarget.value)}>
            <option value="">{t("log.everything")}</option>
            {people.data?.actions.map((one) => <option key={one} value={one}>{lookup(`action.${one}`, one)}</option>)}
          </select>
        </label>
        <label class="field inline short"><span>{t("log.from")}</span><input type="date" value={from} max={to || undefined} onChange={(event) => setFrom(event.currentTarget.value)} /></label>
        <label class="field inline short"><span>{t("log.to")}</span><input type="date" value={to} min={from || undefined} onChange={(event) => setTo(event.currentTarget.value)} /></label>
        <a class="button" target="_self" download href={`/api/access-events/export.csv?${exported(query)}`}><Icon name="down" size={18} />{t("log.export")}</a>
      </div>
      {first.problem && !events && <Fault problem={first.problem} retry={first.reload} />}
      {events && events.length === 0 && <p class="empty">{t("log.none")}</p>}
      {events && events.length > 0 && (
        <div class="card table-card">
          <table class="cards log">
            <thead><tr><th scope="col">{t("log.when")}</th><th scope="col">{t("log.who")}</th><th scope="col">{t("log.what")}</th><th scope="col">{t("log.why")}</th></tr></thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.id}>
                  <th scope="row"><time datetime={event.at}>{momentWithSeconds(event.at)}</time><span class="aside">{t("log.number", { n: event.id })}</span></th>
                  <td data-label={t("log.who")}>{event.person ? <>{event.person.display_name} <span class="aside">{event.person.name}</span></> : t("log.service")}</td>
                  <td data-label={t("log.what")}>{lookup(`action.${event.action}`, event.action)}
                    {event.object && event.object !== event.person?.name && <> <span class="aside">{objectName(event.object)}</span></>}
                    {event.call_id && <> <a href={callAddress(event.call_id)}>{t("log.call")}</a></>}</td>
                  <td data-label={t("log.why")}>{event.reason || <span class="aside">{t("log.noreason")}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next && <button type="button" class="button" onClick={more}>{t("calls.more")}</button>}
    </Page>
  );
}

/** What it was done to, in words; of an account its name, and the roles it was given. */
function objectName(object: string): string {
  const account = /^([^:]+): ([a-z ]*)$/.exec(object);
  if (!account) return lookup(`object.${object}`, object);
  const roles = (account[2] ?? "").split(" ").filter(Boolean).map((role) => lookup(`role.${role}`, role));
  return `${account[1]}: ${roles.join(", ")}`;
}

/** The local midnight that a day begins with, or `days` later. */
function midnight(day: string, days: number): string {
  if (!day) return "";
  const at = new Date(`${day}T00:00:00`);
  at.setDate(at.getDate() + days);
  return at.toISOString();
}

function exported(query: Record<string, string>): string {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
}

function Chain() {
  const chain = useResource((signal) => api.get("/api/access-events/chain", { signal }), []);
  if (chain.problem && !chain.data) return <Fault problem={chain.problem} retry={chain.reload} />;
  if (!chain.data) return <p class="chain"><State tone="busy">{t("chain.checking")}</State></p>;
  if (!chain.data.whole) {
    return (
      <Notice tone="bad" title={t("chain.broken")}>
        <p>{chain.data.broken_at === null ? t("chain.broken.hint") : t("chain.broken.at", { n: chain.data.broken_at })} {t("chain.broken.do")}</p>
      </Notice>
    );
  }
  return (
    <div class="chain">
      <Drawn tone="good" /><span>{chain.data.events === 0 ? t("chain.empty") : tn("chain.whole", chain.data.events)} {t("chain.at", { at: momentWithSeconds(chain.data.at) })}</span>
      {chain.data.head && <span class="aside" title={t("chain.head.hint")}>{t("chain.head", { n: number(chain.data.events), digest: chain.data.head.slice(0, 16) })}</span>}
      <button type="button" class="button small" onClick={chain.reload}>{t("chain.again")}</button>
    </div>
  );
}
