/** What the operator wrote beside the call: notes, ticks, consents and the writing-up, each with its place in the sound. */
import type { Shape } from "../api/client";
import { clock } from "../format";
import { t } from "../locale";
import { caseAddress } from "../router";
import { may } from "../session";
import { said, useBeside, useGuides } from "../desk/beside";
import { Fault } from "../parts/Notice";
import { State } from "../parts/State";
import type { Sound } from "./sound";

export function Beside({ call, sound }: { call: Shape<"CallDetail">; sound: Sound }) {
  const found = useBeside(call.id);
  const guides = useGuides();
  const beside = found.data;
  const play = (ms: number) => void sound.play(ms / 1000);
  const At = ({ ms }: { ms: number }) => (
    <button type="button" class="link clock" onClick={() => play(ms)}><span class="unseen">{t("transcript.play")} </span>{clock(ms / 1000)}</button>
  );
  const empty = beside && beside.notes.length === 0 && beside.ticks.length === 0 && beside.consents.length === 0 && !beside.wrap_up;
  const name = (list: { id: string; sv: string; en: string }[] | undefined, id: string) => {
    const one = list?.find((other) => other.id === id);
    return one ? said(one) : id;
  };
  return (
    <section class="card beside" aria-labelledby="beside">
      <h2 id="beside">{t("beside.title")}</h2>
      {found.problem && !beside && <Fault problem={found.problem} retry={found.reload} />}
      {empty && <p class="empty">{t("beside.none")}</p>}
      {beside?.notes.map((one, n) => (
        <div key={n}>
          <h3>{one.author}</h3>
          <ul class="note-list">
            {one.lines.filter((line) => line.text.trim()).map((line, at) => (
              <li key={at}><span class="note-at">{line.at_ms !== null && <At ms={line.at_ms} />}</span><span>{line.text}</span></li>
            ))}
          </ul>
        </div>
      ))}
      {guides && beside && beside.ticks.some((one) => one.ticked) && (
        <div>
          <h3>{t("beside.ticks")}</h3>
          <ul class="note-list">
            {beside.ticks.filter((one) => one.ticked).map((one) => (
              <li key={`${one.checklist} ${one.item}`}><span class="note-at">{one.at_ms !== null && <At ms={one.at_ms} />}</span>
                <span>{name(guides.checklists.find((list) => list.id === one.checklist)?.items, one.item)}</span></li>
            ))}
          </ul>
        </div>
      )}
      {guides && beside && beside.consents.length > 0 && (
        <div>
          <h3>{t("consent.title")}</h3>
          <ul class="note-list">
            {beside.consents.map((one) => (
              <li key={one.id}><span class="note-at">{one.at_ms !== null && <At ms={one.at_ms} />}</span>
                <State tone={one.withdrawn_at ? "quiet" : one.given ? "good" : "warn"}>{t(one.withdrawn_at ? "consent.withdrawn" : one.given ? "consent.given" : "consent.refused", { who: one.who, what: name(guides.consents, one.what) })}</State></li>
            ))}
          </ul>
        </div>
      )}
      {guides && beside?.wrap_up && (
        <dl class="facts">
          {beside.wrap_up.case_number && <div><dt>{t("wrap.case")}</dt><dd>{may("case.read") ? <a href={caseAddress(beside.wrap_up.case_number)}>{beside.wrap_up.case_number}</a> : beside.wrap_up.case_number}</dd></div>}
          {beside.wrap_up.labels.length > 0 && <div><dt>{t("wrap.labels")}</dt><dd>{beside.wrap_up.labels.map((id) => name(guides.labels, id)).join(", ")}</dd></div>}
          {beside.wrap_up.told.length > 0 && <div><dt>{t("wrap.told")}</dt><dd>{beside.wrap_up.told.map((id) => name(guides.told, id)).join(", ")}</dd></div>}
          {beside.wrap_up.hand_over && <div><dt>{t("wrap.hand_over")}</dt><dd>{beside.wrap_up.hand_over}</dd></div>}
        </dl>
      )}
    </section>
  );
}
