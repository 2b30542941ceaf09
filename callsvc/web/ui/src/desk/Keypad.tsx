/** The keys of a telephone, for menus and switchboards at the caller's end; by mouse, or by the same keys of the keyboard. */
import { useEffect, useRef } from "preact/hooks";
import { t } from "../locale";
import { useWayBack } from "../parts/focus";
import type { Leg } from "../phone/leg";

const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const SHOWN = 12;

export function Keypad({ press, close }: { press: (digit: string) => void; close: () => void }) {
  const first = useRef<HTMLButtonElement>(null);
  useWayBack();
  useEffect(() => first.current?.focus(), []);
  const typed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") close();
    else if ((keys as readonly string[]).includes(event.key)) press(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="keypad" role="group" aria-label={t("keypad.title")} onKeyDown={typed}>
      {keys.map((one, n) => (
        <button key={one} type="button" class="button" {...(n === 0 ? { ref: first } : {})} onClick={() => press(one)}>{one}</button>
      ))}
      <p class="hint">{t("keypad.hint")}</p>
    </div>
  );
}

/** What the caller has pressed in this call, the newest last; a line may keep to itself which keys they were. */
export function Pressed({ leg }: { leg: Leg }) {
  const all = leg.channel.digits.value.filter((one) => one.by === "caller");
  return (
    <p class="pressed" role="status">
      {all.length > 0 && t("keypad.pressed", { keys: all.slice(-SHOWN).map((one) => one.digit ?? t("keypad.some")).join(" ") })}
    </p>
  );
}
