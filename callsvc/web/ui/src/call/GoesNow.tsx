/** While words are chosen, beside the text that they are chosen in: what goes with them, to the word and the tenth of a
second, and the way one step back. */
import { chosen, gone, undo, undoable } from "./choosing";
import { clockTenths, number } from "../format";
import { hint } from "../keys";
import { t, tn } from "../locale";
import { focusOn } from "../parts/arrive";

export function stretch(fromMs: number, toMs: number): string {
  return `${clockTenths(fromMs / 1000)}–${clockTenths(toMs / 1000)}`;
}

export function HowToChoose() {
  return <p class="hint">{t("redact.how", { word: hint("chooseAfter"), utterance: hint("chooseDown"), undo: hint("chooseUndo") })}</p>;
}

export function GoesNow() {
  const { words, stretches, silencedMs } = gone.value;
  const many = chosen.value?.size ?? 0;
  return (
    <div class="goes-now">
      <p role="status" class="label">{many === 0 ? t("redact.none") : tn("redact.gone", words.size, { s: number(silencedMs / 1000, 1) })}{words.size > many && ` ${tn("redact.with", words.size - many)}`}</p>
      <button type="button" class="button small" aria-disabled={!undoable.value} onClick={undo} title={`${t("redact.undo")} (${hint("chooseUndo")})`}>{t("redact.undo")}</button>
      <button type="button" class="button small" onClick={() => focusOn("copying")}>{t("redact.on")}</button>
      {stretches.length > 0 && (
        <details class="leaving">
          <summary>{t("redact.which")}</summary>
          <ol class="note-list leaving-lines">{stretches.map((one) => <li key={one.start_ms}><span class="note-at clock">{stretch(one.start_ms, one.end_ms)}</span><span dir="auto">{one.words.join(" ")}</span></li>)}</ol>
        </details>
      )}
    </div>
  );
}
