/** What the operator does during a call: four large controls, hold, mute and hang-up, each by mouse and by one key that
works also while one types. A control says what it will do; the strip above says how things are. */
import { useEffect, useState } from "preact/hooks";
import { clock } from "../format";
import { hint, useKeys, type Action } from "../keys";
import { lookup, t } from "../locale";
import { Icon, type Drawing } from "../parts/Icon";
import { State } from "../parts/State";
import { NotDone, type Command, type Done } from "../phone/channel";
import type { Leg } from "../phone/leg";
import type { Resource } from "../resource";
import { Announcements } from "./Announcements";
import type { Beside } from "./beside";
import { Keypad, Pressed } from "./Keypad";
import { onMarker } from "./marks";

const BACK_MS = 30_000;
const ARMED_MS = 4000;
const TOLD_MS = 6000;

type Said = { tone: "good" | "warn"; words: string };

export function Controls({ leg, beside }: { leg: Leg; beside: Resource<Beside> }) {
  const [said, say] = useState<Said>();
  const [armed, arm] = useState(false);
  const [informing, inform] = useState(false);
  const [dialling, dial] = useState(false);
  const told = leg.channel.told.value;
  const hello = leg.channel.hello.value;
  const live = told?.state === "live" && leg.phase.value === "joined";
  const can = (command: string) => live && (hello?.commands.includes(command) ?? false);
  const masked = told?.recording.condition === "masked";

  useEffect(() => {
    if (!said) return undefined;
    const gone = window.setTimeout(() => say(undefined), TOLD_MS);
    return () => clearTimeout(gone);
  }, [said]);
  useEffect(() => {
    if (!armed) return undefined;
    const gone = window.setTimeout(() => arm(false), ARMED_MS);
    return () => clearTimeout(gone);
  }, [armed]);

  const command = (what: Command, words: (answer: Done) => string | null) => {
    leg.channel.command(what)
      .then((answer) => {
        const told = words(answer);
        if (told) say({ tone: "good", words: told });
      })
      .catch((fault: unknown) => say({ tone: "warn", words: refusedWords(fault) }));
  };
  const mask = () => can("mask") && command(masked ? { do: "mask", on: false } : { do: "mask", on: true, reason: "private" },
    () => (masked ? t("control.unmasked") : t("control.masked")));
  const marker = () => can("marker") && command({ do: "marker" }, (answer) => {
    onMarker(leg.call, answer.at_ms);
    return t("control.marked", { at: clock(answer.at_ms / 1000) });
  });
  const recall = () => can("recall") && (told?.recall ? command({ do: "recall_stop" }, () => null)
    : command({ do: "recall", back_ms: Math.min(BACK_MS, hello?.recall_ms ?? BACK_MS) }, () => null));
  const hold = () => can("hold") && command({ do: "hold", on: !told?.held }, () => null);
  const mute = () => can("mute") && command({ do: "mute", on: !told?.muted }, () => null);
  const canPress = can("digit") && Boolean(told?.digits);
  const digit = (key: string) => canPress && command({ do: "digit", digit: key }, () => t("keypad.sent", { key }));
  const keypad = () => (canPress || dialling) && dial(!dialling);
  const hangUp = () => {
    if (armed || !live) leg.hangUp();
    else arm(true);
  };
  const open = () => can("announce") && inform(!informing);
  useKeys({ mask, marker, recall, inform: open, hold, headset: hold, mute, keypad, hangUp });

  return (
    <section class="card controls-card" aria-label={t("control.title")}>
      <div class="large-controls">
        <Large action="mask" icon="mask" words={masked ? t("control.unmask") : t("control.mask")} on={masked} can={can("mask")} press={mask} />
        <Large action="marker" icon="flag" words={t("control.marker")} can={can("marker")} press={marker} />
        <Large action="recall" icon="recall" words={told?.recall ? t("control.recall.stop") : t("control.recall")} on={Boolean(told?.recall)} can={can("recall")} press={recall} />
        <Large action="inform" icon="inform" words={t("control.inform")} on={informing || Boolean(told?.announcement)} can={can("announce")} press={open} expanded={informing} />
      </div>
      <div class="goes-on">
        {told?.held && <p role="status" class="now-heard"><State tone="warn">{t("control.held")}</State> <span class="aside">{t("control.held.words")}</span></p>}
        {told?.muted && <p role="status" class="now-heard"><State tone="warn">{t("control.muted")}</State> <span class="aside">{t("control.muted.words")}</span></p>}
        {told?.recall && <p class="now-heard" role="status"><Icon name="recall" size={18} /><span>{t("control.recalling", { at: clock(told.recall.at_ms / 1000), to: clock(told.recall.to_ms / 1000) })}</span></p>}
        {told?.announcement && (
          <p class="now-heard"><Icon name="inform" size={18} /><span role="status">{t("control.announcing", { what: lookup(`announcement.${told.announcement.id}`, told.announcement.id), language: lookup(`language.${told.announcement.language}`, told.announcement.language) })}</span>
            <button type="button" class="button small" onClick={() => command({ do: "announce_stop" }, () => null)}>{t("control.announce.stop")}</button></p>
        )}
        <Pressed leg={leg} />
        <p class={said ? `control-said ${said.tone}` : "control-said"} role="status">{said?.words}</p>
      </div>
      {informing && <Announcements leg={leg} told={beside.data?.announced ?? []} reload={beside.reload} close={() => inform(false)} command={command} />}
      {dialling && <Keypad press={digit} close={() => dial(false)} />}
      <div class="small-controls">
        <button type="button" class="button" aria-pressed={told?.held ?? false} aria-disabled={!can("hold")} onClick={hold} aria-keyshortcuts="Shift+F8">
          <Icon name="hold" size={18} />{told?.held ? t("control.unhold") : t("control.hold")}<kbd>{hint("hold")}</kbd>
        </button>
        <button type="button" class="button" aria-pressed={told?.muted ?? false} aria-disabled={!can("mute")} onClick={mute} aria-keyshortcuts="Shift+F9">
          <Icon name={told?.muted ? "muted" : "microphone"} size={18} />{told?.muted ? t("control.unmute") : t("control.mute")}<kbd>{hint("mute")}</kbd>
        </button>
        <button type="button" class="button" aria-expanded={dialling} aria-disabled={!canPress} onClick={keypad} aria-keyshortcuts="Shift+F7">
          <Icon name="keypad" size={18} />{t("keypad.title")}<kbd>{hint("keypad")}</kbd>
        </button>
        <button type="button" class={armed ? "button hang-up armed" : "button hang-up"} onClick={hangUp} aria-keyshortcuts="Shift+F4">
          <Icon name="hangup" size={20} />{armed ? t("control.hangup.sure") : t("control.hangup")}<kbd>{hint("hangUp")}</kbd>
        </button>
      </div>
    </section>
  );
}

type LargeProps = { action: Action; icon: Drawing; words: string; on?: boolean; can: boolean; press: () => void; expanded?: boolean };

function Large({ action, icon, words, on, can, press, expanded }: LargeProps) {
  return (
    <button type="button" class={on ? "large-control on" : "large-control"} onClick={press} aria-disabled={!can} aria-keyshortcuts={hint(action)}
      aria-pressed={expanded === undefined && on !== undefined ? on : undefined} aria-expanded={expanded}>
      <Icon name={icon} size={26} /><span class="large-words">{words}</span><kbd>{hint(action)}</kbd>
    </button>
  );
}

export function refusedWords(fault: unknown): string {
  return fault instanceof NotDone ? lookup(`refused.${fault.why}`, t("refused.other")) : t("refused.other");
}
