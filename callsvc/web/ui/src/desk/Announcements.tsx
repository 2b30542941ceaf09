/** Announcements that can be played to the caller: by language, with what was already played in this call. */
import { useState } from "preact/hooks";
import { clock } from "../format";
import { lookup, t } from "../locale";
import type { Command, Done } from "../phone/channel";
import type { Leg } from "../phone/leg";

type Props = { leg: Leg; close: () => void; command: (what: Command, words: (answer: Done) => string | null) => void };

/** By call: what was played, where. A page that was loaded anew begins anew; the recording knows all. */
const played = new Map<string, Map<string, number>>();

export function Announcements({ leg, close, command }: Props) {
  const [language, choose] = useState("sv");
  const offered = leg.channel.hello.value?.announcements ?? [];
  const languages = [...new Set(offered.flatMap((one) => one.languages))];
  const already = played.get(leg.call) ?? new Map<string, number>();
  const play = (id: string) => command({ do: "announce", announcement: id, language }, (answer) => {
    played.set(leg.call, new Map(already).set(`${id} ${language}`, answer.at_ms));
    close();
    return null;
  });
  if (offered.length === 0) return <p class="empty">{t("announcements.none")}</p>;
  return (
    <div class="announcements">
      <fieldset>
        <legend>{t("announcements.language")}</legend>
        <div class="chips">
          {languages.map((one) => (
            <label key={one} class="chip"><input type="radio" name="announcement-language" checked={language === one} onChange={() => choose(one)} /><span lang={one}>{lookup(`language.${one}`, one)}</span></label>
          ))}
        </div>
      </fieldset>
      <ul class="plain">
        {offered.filter((one) => one.languages.includes(language)).map((one) => {
          const at = already.get(`${one.id} ${language}`);
          return (
            <li key={one.id} class="announcement">
              <button type="button" class="button" onClick={() => play(one.id)}>{lookup(`announcement.${one.id}`, one.id)}</button>
              <span class="aside">{at === undefined ? t("announcements.not_yet") : t("announcements.at", { at: clock(at / 1000) })}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
