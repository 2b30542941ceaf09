/** What can be said to the caller, by language: played where somebody has spoken it, read aloud where nobody has yet. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import { clock } from "../format";
import { directionOf, lookup, t } from "../locale";
import { useResource } from "../resource";
import { useWayBack } from "../parts/focus";
import { Icon } from "../parts/Icon";
import type { Command, Done } from "../phone/channel";
import type { Leg } from "../phone/leg";
import { played, wasPlayed, type Told } from "./played";

type Props = { leg: Leg; told: readonly Told[]; reload: () => void; close: () => void; command: (what: Command, words: (answer: Done) => string | null) => void };

/** The language that was chosen last in a call: whoever rings speaks one, and it is not asked for each time. */
const spoken = new Map<string, string>();

const titleOf = (id: string) => lookup(`announcement.${id}`, id);
const languageOf = (id: string) => lookup(`language.${id}`, id);

function whenWords(one: Told): string {
  const at = clock(one.at_ms / 1000);
  const words = one.source !== "operator" ? t(`announcements.at.${one.source}`, { at }) : !one.by ? t("announcements.at", { at }) : t("announcements.at.by", { at, by: one.by });
  return one.cut_off ? t("announcements.cut_off", { words }) : words;
}

export function Announcements({ leg, told, reload, close, command }: Props) {
  const [language, setLanguage] = useState(spoken.get(leg.call) ?? "sv");
  const choose = (one: string) => {
    spoken.set(leg.call, one);
    setLanguage(one);
  };
  const texts = useResource((signal) => api.get("/api/announcements", { signal }), []).data?.announcements ?? [];
  const offered = leg.channel.hello.value?.announcements ?? [];
  const languages = [...new Set([...texts.flatMap((one) => Object.keys(one.words)), ...offered.flatMap((one) => one.languages)])];
  const ids = [...new Set([...texts, ...offered].map((one) => one.id))];
  const all = played(leg.call, told);
  const box = useRef<HTMLElement>(null);
  const there = languages.length > 0;
  useEffect(reload, []);
  useWayBack();
  // Whoever opens it by its key goes on with the arrows; Escape, and what is played, lead back to the notes.
  useEffect(() => box.current?.querySelector<HTMLElement>("input:checked")?.focus(), [there]);
  const play = (id: string) => command({ do: "announce", announcement: id, language }, (answer) => {
    wasPlayed(leg.call, id, language, answer.at_ms);
    close();
    return null;
  });
  const shown = ids.map((id) => {
    const sound = offered.find((one) => one.id === id);
    // Another version says something else: better no text than that of another sound.
    const text = texts.find((one) => one.id === id && (!sound || sound.version === one.version));
    return {
      id, words: text?.words[language], unchecked: text?.unchecked.includes(language) ?? false, plays: sound?.languages.includes(language) ?? false,
      last: all.findLast((one) => one.announcement === id && one.language === language),
    };
  }).filter((one) => one.words !== undefined || one.plays);
  if (!there) return <p class="empty">{t("announcements.none")}</p>;
  return (
    <section ref={box} class="announcements" aria-label={t("control.inform")} onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
    }}>
      <div>
        <h2 class="label">{t("announcements.played")}</h2>
        {all.length === 0 ? <p class="hint">{t("announcements.played.none")}</p> : (
          <ul class="plain played">{all.map((one) => (
            <li key={`${one.announcement} ${one.language} ${one.at_ms}`}><Icon name="check" size={16} />{titleOf(one.announcement)}, {languageOf(one.language)} <span class="aside">{whenWords(one)}</span></li>
          ))}</ul>
        )}
      </div>
      <fieldset>
        <legend>{t("announcements.language")}</legend>
        <div class="chips">
          {languages.map((one) => (
            <label key={one} class="chip"><input type="radio" name="announcement-language" checked={language === one} onChange={() => choose(one)} /><span>{languageOf(one)}</span></label>
          ))}
        </div>
      </fieldset>
      {shown.some((one) => !one.plays) && <p class="hint">{t("announcements.aloud")}</p>}
      <ul class="plain">
        {shown.map(({ id, words, unchecked, plays, last }) => (
          <li key={id} class="announcement">
            <button type="button" class="button" aria-disabled={!plays} onClick={() => plays && play(id)}><Icon name={plays ? "play" : "muted"} size={16} />{plays ? titleOf(id) : t("announcements.unspoken", { what: titleOf(id) })}</button>
            {plays && <span class="aside">{last ? whenWords(last) : t("announcements.not_yet")}</span>}
            {words && <p class="caller-text" lang={language} dir={directionOf(language)}>{words}</p>}
            {words && unchecked && <p class="hint">{t("announcements.unchecked")}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
