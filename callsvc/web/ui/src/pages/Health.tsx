/** How every part is, in plain words, and what to do about what is not well. */
import { DriftTabs } from "../admin/DriftTabs";
import { api, type Shape } from "../api/client";
import { momentWithSeconds, number } from "../format";
import { lookup, t } from "../locale";
import { useResource } from "../resource";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";
import { Shape as Drawn, State, type Tone } from "../parts/State";

type Part = Shape<"Part">;

/** Figures as the language writes them. */
function figures(values: Part["values"]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? number(value, 1) : value]));
}

const tones: Record<Part["state"], Tone> = { ok: "good", degraded: "warn", down: "bad" };

export function Health() {
  const health = useResource((signal) => api.get("/api/health", { signal }), [], ["health"]);
  const told = health.data;
  return (
    <Page title={t("health.title")} lead={t("health.lead")} before={<DriftTabs />}
      actions={<button type="button" class="button" onClick={health.reload}>{t("health.again")}</button>}>
      {health.problem && <Fault problem={health.problem} retry={health.reload} />}
      {told && (
        <>
          <div class={`card overall ${tones[told.overall]}`} role="status">
            <Drawn tone={tones[told.overall]} />
            <div><p class="overall-words">{t(`health.overall.${told.overall}`)}</p><p class="hint">{t("health.at", { at: momentWithSeconds(told.at) })}</p></div>
          </div>
          <ul class="card parts">
            {told.parts.map((part) => (
              <li key={part.part} class={`part ${part.state}`}>
                <h2>{lookup(`part.${part.part}`, part.part)}</h2>
                <div><State tone={tones[part.state]}>{t(`health.${part.state}`)}</State>
                  {part.state !== "ok" && <p class="aside">{t(part.at_least ? "health.since.least" : "health.since", { at: momentWithSeconds(part.since) })}</p>}</div>
                <div class="part-words">
                <p>{lookup(`health.${part.part}.${part.code}`, lookup(`health.any.${part.code}`, part.code), figures(part.values))}</p>
                {part.state !== "ok" && <p class="todo">{lookup(`health.${part.part}.${part.code}.do`, lookup(`health.any.${part.code}.do`, t("health.any.do")), figures(part.values))}</p>}
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}
