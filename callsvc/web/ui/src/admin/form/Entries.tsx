/** A list of entries: opened and closed, moved by buttons, added, taken away and brought back. */
import { useState } from "preact/hooks";
import { lookup, t } from "../../locale";
import { Icon } from "../../parts/Icon";
import { useForm } from "./context";
import { Fields, Own } from "./Fields";
import { begins, fresh, idOf, keyOf, listAt, moved, type Field, type Json, type Place } from "./value";
import { entryName, hint, label } from "./words";

export function Entries({ field, place, level }: { field: Field; place: Place; level: number }) {
  const form = useForm();
  const [gone, setGone] = useState<{ n: number; entry: Json }>();
  const list = listAt(form.value, place);
  const id = idOf(place);
  const Title = level === 2 ? "h2" : level === 3 ? "h3" : "h4";
  const hinted = hint(form.kind, field.name);
  const full = field.most !== null && list.length >= field.most;

  const move = (from: number, to: number, side: string) => {
    if (to < 0 || to >= list.length) return;
    form.change(place, moved(list, from, to));
    form.then(`${idOf([...place, to])}-${side}`, t("entries.moved", { n: to + 1, of: list.length }));
  };
  const add = () => {
    const entry = fresh(field.fields);
    form.change(place, [...list, entry]);
    form.open([keyOf(entry)], true);
    const first = field.fields.find((one) => one.lang !== null) ?? field.fields[0];
    form.then(idOf([...place, list.length, first?.name ?? ""]));
  };
  const remove = (n: number) => {
    setGone({ n, entry: list[n] ?? null });
    form.change(place, list.filter((_, other) => other !== n));
    form.then(`${id}-back`, t("entries.removed", { name: entryName(list[n]) }));
  };
  const bringBack = () => {
    if (!gone) return;
    const n = Math.min(gone.n, list.length);
    form.change(place, [...list.slice(0, n), gone.entry, ...list.slice(n)]);
    form.then(idOf([...place, n]));
    setGone(undefined);
  };

  return (
    <div class="entries" role="group" aria-labelledby={`${id}-title`}>
      <Title id={`${id}-title`}>{label(form.kind, field.name)}<span class="count">{list.length}</span></Title>
      {hinted && <p class="hint">{hinted}</p>}
      <Own place={place} />
      {list.length > 0 && <ol class="entry-list">
        {list.map((entry, n) => {
          const here = [...place, n];
          const name = entryName(entry);
          const open = form.opened.has(keyOf(entry));
          const faulty = form.faults.some((one) => begins(one.at, here));
          return (
            <li key={keyOf(entry)} class={faulty ? "entry faulty" : "entry"}>
              <div class="entry-head">
                <button type="button" class="entry-name" id={idOf(here)} aria-expanded={open} onClick={() => form.open([keyOf(entry)], !open)}>
                  <Icon name={open ? "less" : "further"} size={16} /><span>{name}</span>
                  {faulty && <span class="field-fault">{t("entries.faulty")}</span>}
                </button>
                <span class="entry-tools">
                  <button type="button" class="button bare small" id={`${idOf(here)}-up`} aria-disabled={n === 0} onClick={() => move(n, n - 1, "up")} aria-label={t("entries.up", { name })} title={t("entries.up", { name })}><Icon name="above" size={18} /></button>
                  <button type="button" class="button bare small" id={`${idOf(here)}-down`} aria-disabled={n === list.length - 1} onClick={() => move(n, n + 1, "down")} aria-label={t("entries.down", { name })} title={t("entries.down", { name })}><Icon name="below" size={18} /></button>
                  <button type="button" class="button bare small" onClick={() => remove(n)} aria-label={t("entries.remove", { name })} title={t("entries.remove", { name })}><Icon name="close" size={18} /></button>
                </span>
              </div>
              {open && <div class="entry-body"><Own place={here} /><Fields fields={field.fields} place={here} level={level + 1} /></div>}
            </li>
          );
        })}
      </ol>}
      <div class="row">
        {!full && <button type="button" class="button small" id={`${id}-add`} onClick={add}><Icon name="plus" size={16} />{lookup(`entries.add.${field.name}`, t("entries.add"))}</button>}
        {gone && <button type="button" class="button small" id={`${id}-back`} onClick={bringBack}><Icon name="recall" size={16} />{t("entries.back", { name: entryName(gone.entry) })}</button>}
      </div>
    </div>
  );
}
