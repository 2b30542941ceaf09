/** How a model's files were found, in words, with their digest. */
import type { Shape } from "../api/client";
import { t, tn } from "../locale";
import { State, type Tone } from "../parts/State";

const tones = { whole: "good", damaged: "bad", language: "warn", none: "warn" } as const satisfies Record<Shape<"ModelState">["state"], Tone>;

export function ModelFound({ found }: { found: Shape<"ModelState"> }) {
  return (
    <div class="model-found">
      <State tone={tones[found.state]}>{t(`models.found.${found.state}`)}</State>
      {found.state !== "whole" && <p class="todo">{t(`models.found.${found.state}.do`)}</p>}
      {found.detail && <p class="aside">{found.detail}</p>}
      {found.sha256 && <p class="aside"><code title={found.sha256}>{found.sha256.slice(0, 16)}…</code> {t(found.known ? "models.known" : "models.unknown")}
        {found.languages !== null && <> · {tn("models.knows", found.languages)}</>}</p>}
    </div>
  );
}
