/** Help for the page one is on, and the keys that work there, from the same file that makes them work. */
import { signal } from "@preact/signals";
import { bindings, actionLabel, chooseLetters, keyNames, letters } from "../keys";
import { lookup, t } from "../locale";
import { Dialog } from "./Dialog";

export const helpOpen = signal(false);

export function Help({ page }: { page: string }) {
  if (!helpOpen.value) return null;
  const shown = bindings.filter((binding) => binding.where === "everywhere" || binding.where === page);
  const paragraphs = lookup(`help.${page}`, "").split("\n").filter(Boolean);
  return (
    <Dialog wide title={t("help.title")} close={() => (helpOpen.value = false)}>
      <div class="help">
        {paragraphs.map((paragraph) => <p key={paragraph}>{paragraph}</p>)}
        <h3>{t("help.keys")}</h3>
        <dl class="keys">
          {shown.map((binding) => (
            <div key={binding.action}>
              <dt>{keyNames(binding).map((chord, n) => (
                <span key={chord.join()}>{n > 0 && <span class="or">{t("help.or")}</span>}{chord.map((key) => <kbd key={key}>{key}</kbd>)}</span>
              ))}</dt>
              <dd>{t(actionLabel(binding.action))}</dd>
            </div>
          ))}
        </dl>
        <label class="check">
          <input type="checkbox" checked={letters.value} onChange={(event) => chooseLetters(event.currentTarget.checked)} />
          <span>{t("help.letters")}</span>
        </label>
      </div>
    </Dialog>
  );
}
