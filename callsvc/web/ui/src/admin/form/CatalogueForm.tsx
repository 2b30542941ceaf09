/** A catalogue as a form: what is opened, where the focus goes, and what is told to those who do not see it. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { FormContext, type Fault, type Form } from "./context";
import { Fields, Own } from "./Fields";
import { at, begins, idOf, keyOf, put, type Field, type Json, type Place, type Table } from "./value";

type Props = {
  kind: string;
  fields: Field[];
  value: Table;
  faults: Fault[];
  /** The fault that the focus goes to; a new one each time. */
  toFault: { at: Place } | undefined;
  change: (value: Table, place: Place) => void;
};

export function CatalogueForm({ kind, fields, value, faults, toFault, change }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [said, say] = useState("");
  const next = useRef<string | null>(null);
  const open = (keys: string[], on: boolean) => setOpened((before) => {
    const after = new Set(before);
    for (const key of keys) if (on) after.add(key); else after.delete(key);
    return after;
  });
  const form: Form = {
    kind, value, faults, opened, open,
    change: (place: Place, what: Json | undefined) => change(put(value, place, what), place),
    then: (id, words) => {
      next.current = id;
      if (words) say(words);
    },
  };
  useLayoutEffect(() => {
    if (!toFault) return;
    open(toFault.at.map((_, n) => keyOf(at(value, toFault.at.slice(0, n + 1)))).filter(Boolean), true);
    next.current = idOf(toFault.at);
    say("");
  }, [toFault]);
  useLayoutEffect(() => {
    if (next.current === null) return;
    const found = nearest(next.current);
    if (!found) return;
    next.current = null;
    found.focus();
  });
  return (
    <FormContext.Provider value={form}>
      <p class="unseen" role="status">{said}</p>
      <Own place={[]} />
      <Fields fields={fields} place={[]} level={2} />
    </FormContext.Provider>
  );
}

/** The control with this id; where a place has none of its own, what it lies in. */
function nearest(id: string): HTMLElement | null {
  for (let name = id; name.includes("-"); name = name.slice(0, name.lastIndexOf("-"))) {
    const found = document.getElementById(name);
    if (found) return found;
  }
  return null;
}

export function without(faults: Fault[], place: Place): Fault[] {
  return faults.filter((one) => !begins(one.at, place));
}
