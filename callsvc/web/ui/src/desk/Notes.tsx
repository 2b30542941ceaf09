/** Notes beside the call: one text, whose lines remember when in the call they were begun.

The moments stand in a margin that is laid out like the text itself, under it: what is typed in is a plain text field. */
import { clock } from "../format";
import { t } from "../locale";
import { State, type Tone } from "../parts/State";
import { me } from "../session";
import { keeperOf, type Standing } from "./keeper";

const tones: Record<Standing, Tone> = { loading: "busy", saved: "good", unsaved: "busy", away: "warn", closed: "quiet", refused: "bad" };

export function Notes({ call, now }: { call: string; now: () => number | null }) {
  const keeper = keeperOf(me.value?.id ?? "", call);
  const lines = keeper.lines.value;
  const standing = keeper.standing.value;
  return (
    <section class="card notes" aria-labelledby="notes">
      <div class="notes-head">
        <h2 id="notes">{t("notes.title")}</h2>
        <p role="status"><State tone={tones[standing]}>{t(`notes.${standing}`)}</State></p>
      </div>
      <div class="notes-editor">
        <div class="notes-mirror" aria-hidden="true">
          {lines.map((line, n) => (
            <div key={n} class="note-line">{line.at_ms !== null && <span class="clock note-time">{clock(line.at_ms / 1000)}</span>}{line.text || "\u200b"}</div>
          ))}
        </div>
        <textarea aria-label={t("notes.label")} aria-describedby="notes-hint" spellcheck={false} readOnly={standing === "closed"}
          placeholder={t("notes.placeholder")} value={lines.map((line) => line.text).join("\n")}
          onInput={(event) => keeper.write(event.currentTarget.value, now())} onBlur={() => void keeper.save()} />
      </div>
      <p class="hint" id="notes-hint">{standing === "away" ? t("notes.away.words") : standing === "closed" ? t("notes.closed.words") : t("notes.hint")}</p>
    </section>
  );
}
