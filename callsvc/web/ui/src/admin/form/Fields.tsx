/** The fields of a form, one below the other; what is said in several languages stands side by side. */
import type { ComponentChildren } from "preact";
import { Entries } from "./Entries";
import { Input } from "./Inputs";
import { useForm } from "./context";
import { begins, idOf, type Field, type Place } from "./value";
import { label } from "./words";

export function Fields({ fields, place, level }: { fields: Field[]; place: Place; level: number }) {
  const form = useForm();
  const said = fields.filter((one) => one.lang !== null);
  const shown: ComponentChildren[] = [];
  for (const field of fields) {
    const here = [...place, field.name];
    if (field.lang !== null) continue;
    if (field.kind === "list") shown.push(<Entries key={field.name} field={field} place={here} level={level} />);
    else if (field.kind === "group") shown.push(
      <fieldset key={field.name} class="form-group" id={idOf(here)} tabIndex={-1}>
        <legend>{label(form.kind, field.name)}</legend>
        <Own place={here} />
        <Fields fields={field.fields} place={here} level={level + 1} />
      </fieldset>,
    );
    else shown.push(<Input key={field.name} field={field} place={here} />);
  }
  return (
    <div class="form-fields">
      {said.length > 0 && <div class="per-language">{said.map((field) => <Input key={field.name} field={field} place={[...place, field.name]} />)}</div>}
      {shown}
    </div>
  );
}

/** What is wrong with an entry or a group as a whole. */
export function Own({ place }: { place: Place }) {
  const form = useForm();
  const told = form.faults.filter((one) => one.at.length === place.length && begins(one.at, place));
  return told.length > 0 ? <p class="field-fault">{told.map((one) => one.message).join("; ")}</p> : null;
}
