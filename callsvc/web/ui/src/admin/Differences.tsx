/** What two texts differ in: each line by sign and word, and by colour only besides. */
import type { Shape } from "../api/client";
import { t } from "../locale";

const signs = { same: " ", out: "−", in: "+", gap: "" } as const;

export function Differences({ lines }: { lines: Shape<"ChangedLine">[] }) {
  if (lines.length === 0) return <p class="hint" role="status">{t("catalogue.same")}</p>;
  return (
    <div class="differences" tabIndex={0} role="group" aria-label={t("catalogue.changes")}>
      {lines.map((line, n) => line.kind === "gap" ? <hr key={n} /> : (
        <p key={n} class={line.kind}>
          <span class="sign" aria-hidden="true">{signs[line.kind]}</span>
          {line.kind !== "same" && <span class="unseen">{line.kind === "in" ? t("catalogue.in") : t("catalogue.out")} </span>}
          <span>{line.text || " "}</span>
        </p>
      ))}
    </div>
  );
}
