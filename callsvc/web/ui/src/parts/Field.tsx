/** A labelled input with its hint and its fault, joined for screen readers. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../locale";

type Props = {
  label: string;
  value: string;
  change: (value: string) => void;
  hint?: string;
  fault?: string | null;
  type?: "text" | "password";
  autocomplete?: string;
  autofocus?: boolean;
  spellcheck?: boolean;
  required?: boolean;
};

export function Field({ label, value, change, hint, fault, type = "text", autocomplete = "off", autofocus = false, spellcheck = false, required = true }: Props) {
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  // A browser minds the attribute once a page, and in a dialog that opens; a field that comes later asks itself.
  useEffect(() => { if (autofocus) box.current?.focus(); }, []);
  const [shown, show] = useState(false);
  const described = [hint ? `${id}-hint` : "", fault ? `${id}-fault` : ""].filter(Boolean).join(" ");
  const input = {
    id, value, autocomplete, autofocus, spellcheck, required,
    autocapitalize: "none",
    "aria-invalid": fault ? true : undefined,
    "aria-describedby": described || undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => change(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-row">
        {type === "password" && !shown ? <input type="password" ref={box} {...input} /> : <input type="text" ref={box} {...input} />}
        {type === "password" && (
          <button type="button" class="button bare reveal" aria-pressed={shown} onClick={() => show(!shown)}>
            {shown ? t("field.hide") : t("field.show")}
          </button>
        )}
      </div>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {fault && <p class="field-fault" id={`${id}-fault`}>{fault}</p>}
    </div>
  );
}
