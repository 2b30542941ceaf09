/** Tangentljud dämpat: how many strokes there were, and by how much the caller was spared them. */
import { number } from "../format";
import { t, tn } from "../locale";
import type { Leg } from "../phone/leg";

const FULL_DB = 60;

export function QuietMeter({ leg }: { leg: Leg }) {
  const told = leg.channel.told.value;
  const strokes = told?.strokes ?? 0;
  const lost = told?.degraded.includes("suppressor") ?? false;
  const lowered = told && told.level_before_db !== null && told.level_after_db !== null
    ? Math.max(0, told.level_before_db - told.level_after_db) : null;
  const share = lost || lowered === null ? 0 : Math.min(1, lowered / FULL_DB);
  return (
    <section class={lost ? "card quiet-meter lost" : "card quiet-meter"} aria-labelledby="quiet-meter">
      <h2 id="quiet-meter">{t("desk.quiet")}</h2>
      <p class="quiet-figures">
        <span><strong>{number(strokes)}</strong> {tn("desk.quiet.strokes", strokes)}</span>
        {lowered !== null && !lost && <span><strong>{number(lowered)}</strong> {t("desk.quiet.db")}</span>}
      </p>
      <svg class="quiet-bar" viewBox="0 0 600 36" preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: 60 }, (_, n) => {
          const on = n < share * 60;
          const tall = on ? 2 : 8 + ((n * 29) % 9);
          return <line key={n} x1={n * 10 + 5} x2={n * 10 + 5} y1={18 - tall} y2={18 + tall} class={on ? "still" : "loud"} />;
        })}
      </svg>
      <p class="hint">{lost ? t("desk.quiet.lost") : strokes === 0 ? t("desk.quiet.none") : t("desk.quiet.words")}</p>
    </section>
  );
}
