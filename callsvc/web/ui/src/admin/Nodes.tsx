/** How many media nodes go by what is in force, and what the others have instead. */
import { useEffect } from "preact/hooks";
import type { Shape } from "../api/client";
import { lookup, t } from "../locale";
import { State } from "../parts/State";

const AGAIN_MS = 2_000;
type Node = Shape<"NodeStanding">;

export function Nodes({ told, reload }: { told: Shape<"CatalogueOut">; reload: () => void }) {
  const nodes = told.nodes ?? [];
  const here = nodes.filter((one) => one.here);
  const agree = here.filter((one) => one.agrees).length;
  const waiting = agree < here.length;
  // What was saved reaches the nodes a moment later.
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = window.setTimeout(reload, AGAIN_MS);
    return () => window.clearTimeout(timer);
  }, [told]);
  if (told.nodes === null) return null;
  const others = nodes.filter((one) => !one.here || !one.agrees);
  return (
    <section class="card" aria-labelledby="nodes">
      <h2 id="nodes">{t("nodes.title")}</h2>
      <div role="status">
        {here.length === 0 ? <State tone="warn">{t("nodes.none")}</State> : (
          <State tone={waiting ? "warn" : "good"}>
            {t(told.version === 0 ? "nodes.have.first" : "nodes.have", { n: agree, of: here.length, version: told.version })}
          </State>
        )}
      </div>
      {others.length > 0 && <ul class="plain-list">{others.map((one) => <li key={one.node}><strong>{one.node}</strong> {words(one)}</li>)}</ul>}
    </section>
  );
}

function words(one: Node): string {
  const has = one.source === "screens" ? t("nodes.has", { version: one.version }) : lookup(`nodes.source.${one.source}`, one.source);
  if (!one.here) return t("nodes.gone", { has });
  if (one.refused_version !== null) return t("nodes.refused", { has, version: one.refused_version, why: one.refused_why });
  return has;
}
