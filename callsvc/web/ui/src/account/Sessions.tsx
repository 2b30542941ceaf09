/** Where one is signed in, and signing out there. */
import { api } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { Fault } from "../parts/Notice";

export function Sessions() {
  const found = useResource((signal) => api.get("/api/me/sessions", { signal }), []);
  const end = (id: string) => void api.post("/api/me/sessions/{session_id}/end", { path: { session_id: id } }).then(found.reload);
  return (
    <section class="card narrow" aria-labelledby="sessions">
      <h2 id="sessions">{t("sessions.title")}</h2>
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      <ul class="sessions">
        {found.data?.sessions.map((one) => (
          <li key={one.id}>
            <div>
              <p>{browserName(one.browser)}{one.current && <span class="tag">{t("sessions.current")}</span>}</p>
              <p class="aside">{t("sessions.seen", { at: moment(one.seen_at), address: one.address || t("facts.unknown") })}</p>
            </div>
            {!one.current && <button type="button" class="button small" onClick={() => end(one.id)}>{t("sessions.end")}</button>}
          </li>
        ))}
      </ul>
      {(found.data?.sessions.length ?? 0) > 1 && (
        <div class="row"><button type="button" class="button" onClick={() => void api.post("/api/me/sessions/end").then(found.reload)}>{t("sessions.end.others")}</button></div>
      )}
    </section>
  );
}

/** The name that people know a browser by, from what it says of itself. */
export function browserName(told: string): string {
  const names: [RegExp, string][] = [[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]];
  const system: [RegExp, string][] = [[/Windows/, "Windows"], [/Mac OS/, "macOS"], [/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Linux/, "Linux"]];
  const name = names.find(([sign]) => sign.test(told))?.[1];
  const on = system.find(([sign]) => sign.test(told))?.[1];
  return name ? [name, on].filter(Boolean).join(", ") : t("sessions.unknown");
}
