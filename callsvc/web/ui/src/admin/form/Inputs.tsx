/** A single field of a form, by its kind. */
import { useState } from "preact/hooks";
import { lang, t } from "../../locale";
import { Icon } from "../../parts/Icon";
import { useForm } from "./context";
import { at, begins, idOf, moved, type Field, type Place } from "./value";
import { hint, label, optionName, options, unit } from "./words";

type Props = { field: Field; place: Place };

function useField({ field, place }: Props) {
  const form = useForm();
  const id = idOf(place);
  const told = form.faults.filter((one) => begins(one.at, place)).map((one) => one.message).join("; ");
  const hinted = hint(form.kind, field.name);
  const described = [hinted && `${id}-hint`, unit(field) && `${id}-unit`, told && `${id}-fault`].filter(Boolean).join(" ");
  return {
    form, id, told,
    now: at(form.value, place),
    name: label(form.kind, field.among ? `among.${field.name}` : field.name),
    hinted,
    aria: { "aria-describedby": described || undefined, "aria-invalid": told ? true : undefined } as const,
    below: <>
      {hinted && <p class="hint" id={`${id}-hint`}>{hinted}</p>}
      {told && <p class="field-fault" id={`${id}-fault`}>{told}</p>}
    </>,
  };
}

export function Input({ field, place }: Props) {
  if (field.kind === "flag") return <Flag field={field} place={place} />;
  if (field.kind === "choice" || field.among) return <Choice field={field} place={place} />;
  if (field.kind === "choices") return <Choices field={field} place={place} />;
  return field.kind === "number" ? <Figure field={field} place={place} /> : <Words field={field} place={place} />;
}

function Words({ field, place }: Props) {
  const { form, id, now, name, aria, below } = useField({ field, place });
  const shown = typeof now === "string" ? now : now === undefined && typeof field.default === "string" ? field.default : "";
  return (
    <div class={field.name === "id" || field.name === "version" ? "field short" : "field"}>
      <label for={id}>{name}</label>
      <input type="text" id={id} value={shown} lang={field.lang ?? undefined} spellcheck={field.lang !== null} autocomplete="off" autocapitalize="none"
        maxLength={field.longest ?? undefined} required={field.required} {...aria}
        onInput={(event) => form.change(place, event.currentTarget.value === "" && !field.required ? undefined : event.currentTarget.value)} />
      {below}
    </div>
  );
}

function figure(text: string): number | null {
  const plain = text.trim().replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

function Figure({ field, place }: Props) {
  const { form, id, now, name, aria, below } = useField({ field, place });
  const [text, setText] = useState("");
  const there = now ?? (typeof field.default === "number" ? field.default : "");
  // What is being typed stays as it is typed: 1,0 on the way to 1,05.
  const shown = text !== "" && (figure(text) ?? text) === there ? text : String(there).replace(".", lang.value === "sv" ? "," : ".");
  const write = (typed: string) => {
    setText(typed);
    form.change(place, typed.trim() === "" ? undefined : figure(typed) ?? typed);
  };
  return (
    <div class="field short">
      <label for={id}>{name}</label>
      <div class="field-unit">
        <input type="text" inputMode={field.whole ? "numeric" : "decimal"} id={id} value={shown} autocomplete="off" required={field.required} {...aria}
          onInput={(event) => write(event.currentTarget.value)} />
        {unit(field) && <span id={`${id}-unit`}>{unit(field)}</span>}
      </div>
      {below}
    </div>
  );
}

function Flag({ field, place }: Props) {
  const { form, id, now, name, hinted, told, aria } = useField({ field, place });
  return (
    <div class="field">
      <label class="check">
        <input type="checkbox" id={id} checked={(now ?? field.default) === true} {...aria}
          onChange={(event) => form.change(place, event.currentTarget.checked || field.required || field.default === true ? event.currentTarget.checked : undefined)} />
        <span>{name}{hinted && <span class="hint" id={`${id}-hint`}>{hinted}</span>}</span>
      </label>
      {told && <p class="field-fault" id={`${id}-fault`}>{told}</p>}
    </div>
  );
}

function Choice({ field, place }: Props) {
  const { form, id, now, name, aria, below } = useField({ field, place });
  const chosen = typeof now === "string" ? now : typeof field.default === "string" ? field.default : "";
  const open = !field.required && typeof field.default !== "string";
  return (
    <div class="field">
      <label for={id}>{name}</label>
      <select id={id} value={chosen} required={field.required} {...aria}
        onChange={(event) => form.change(place, event.currentTarget.value === "" ? undefined : event.currentTarget.value)}>
        {(open || chosen === "") && <option value="">{t(open ? "entries.none" : "entries.choose")}</option>}
        {options(field, form.value, now).map((one) => <option key={one.value} value={one.value}>{optionName(field, one)}</option>)}
      </select>
      {below}
    </div>
  );
}

function Choices({ field, place }: Props) {
  const { form, id, now, name, aria, below } = useField({ field, place });
  const there = Array.isArray(now) ? now : Array.isArray(field.default) ? field.default : [];
  const chosen = there.filter((one): one is string => typeof one === "string");
  const all = options(field, form.value, chosen);
  const order = (value: string) => (chosen.includes(value) ? chosen.indexOf(value) : chosen.length);
  const shown = field.ordered ? [...all].sort((one, other) => order(one.value) - order(other.value)) : all;
  const tick = (value: string, on: boolean) => {
    const left = chosen.filter((one) => one !== value);
    const next = on ? [...left, value] : left;
    form.change(place, field.ordered ? next : all.map((one) => one.value).filter((one) => next.includes(one)));
    if (field.ordered) form.then(`${id}-${value}`);
  };
  const shift = (value: string, by: number, side: string) => {
    const to = chosen.indexOf(value) + by;
    if (to < 0 || to >= chosen.length) return;
    form.change(place, moved(chosen, chosen.indexOf(value), to));
    form.then(`${id}-${value}-${side}`, t("entries.moved", { n: to + 1, of: chosen.length }));
  };
  return (
    <fieldset class="field choices" id={id} tabIndex={-1} {...aria}>
      <legend>{name}</legend>
      <ul class={field.ordered ? "choice-list ordered" : "choice-list"}>
        {shown.map((one) => {
          const words = optionName(field, one);
          const n = chosen.indexOf(one.value);
          return (
            <li key={one.value}>
              <label class="check">
                <input type="checkbox" id={`${id}-${one.value}`} checked={n >= 0} onChange={(event) => tick(one.value, event.currentTarget.checked)} />
                <span>{words}</span>
              </label>
              {field.ordered && n >= 0 && <span class="entry-tools">
                <button type="button" class="button bare small" id={`${id}-${one.value}-up`} aria-disabled={n === 0} onClick={() => shift(one.value, -1, "up")} aria-label={t("entries.up", { name: words })}><Icon name="above" size={18} /></button>
                <button type="button" class="button bare small" id={`${id}-${one.value}-down`} aria-disabled={n === chosen.length - 1} onClick={() => shift(one.value, 1, "down")} aria-label={t("entries.down", { name: words })}><Icon name="below" size={18} /></button>
              </span>}
            </li>
          );
        })}
      </ul>
      {below}
    </fieldset>
  );
}
