/** One of the texts: written, checked at each field, saved with a reason; every version can be looked at and brought back. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { Differences } from "../admin/Differences";
import { Nodes } from "../admin/Nodes";
import { Versions } from "../admin/Versions";
import { lookup, t } from "../locale";
import { useResource } from "../resource";
import { addresses } from "../router";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";

export function Catalogue({ kind }: { kind: string }) {
  const found = useResource((signal) => api.get("/api/catalogues/{kind}", { path: { kind }, signal }), [kind]);
  const name = lookup(`catalogue.${kind}`, kind);
  return (
    <Page title={name} lead={lookup(`catalogue.${kind}.hint`, "")}
      before={<p class="way-back"><a href={addresses.catalogues}><Icon name="left" size={18} />{t("catalogues.title")}</a></p>}>
      {found.problem && !found.data && <Fault problem={found.problem} retry={found.reload} />}
      {found.data?.in_settings && <Notice tone="warn" title={t("catalogue.in_settings")}><p>{t("catalogue.in_settings.hint")}</p></Notice>}
      {found.data && <Editor key={found.data.version} told={found.data} saved={found.reload} />}
      {found.data && <Nodes told={found.data} reload={found.reload} />}
      {found.data && <Versions told={found.data} done={found.reload} />}
    </Page>
  );
}

function Editor({ told, saved }: { told: Shape<"CatalogueOut">; saved: () => void }) {
  const [text, setText] = useState(told.body);
  const [why, setWhy] = useState("");
  const [faults, setFaults] = useState<Shape<"CatalogueFault">[]>();
  const [changes, setChanges] = useState<Shape<"ChangedLine">[]>();
  const [problem, setProblem] = useState<Problem>();
  const path = { kind: told.kind };
  const asked = <T,>(question: Promise<T>, then: (answer: T) => void) => {
    setProblem(undefined);
    question.then(then).catch((fault: unknown) => setProblem(fault instanceof Problem ? fault : new Problem(0, "fault", String(fault), "")));
  };
  const look = () => {
    asked(api.post("/api/catalogues/{kind}/check", { path, body: { body: text } }), (answer) => setFaults(answer.faults));
    asked(api.post("/api/catalogues/{kind}/changes", { path, body: { body: text } }), (answer) => setChanges(answer.lines));
  };
  const save = (event: Event) => {
    event.preventDefault();
    asked(api.put("/api/catalogues/{kind}", { path, body: { version: told.version, body: text, why } }), (answer) => {
      setFaults(answer.faults);
      if (answer.version !== null) saved();
    });
  };
  return (
    <form class="card catalogue-edit" onSubmit={save}>
      <div class="field">
        <label for="catalogue-text">{t("catalogue.text")}</label>
        <textarea id="catalogue-text" class="code" rows={24} spellcheck={false} value={text} aria-describedby="catalogue-hint"
          aria-invalid={faults && faults.length > 0 ? true : undefined}
          onInput={(event) => { setText(event.currentTarget.value); setFaults(undefined); setChanges(undefined); }} />
        <p class="hint" id="catalogue-hint">{t("catalogue.text.hint")}</p>
      </div>
      {faults && faults.length > 0 && (
        <Notice tone="bad" title={t("catalogue.faults")}>
          <ul class="fault-list">{faults.map((one) => <li key={one.field + one.message}>{one.field && <strong>{one.field}</strong>} {one.message}</li>)}</ul>
        </Notice>
      )}
      {faults?.length === 0 && <Notice tone="good" title={t("catalogue.whole")} />}
      {changes && <Differences lines={changes} />}
      {problem && <Fault problem={problem} />}
      <Field label={t("catalogue.why")} value={why} change={setWhy} hint={t("catalogue.why.hint")} spellcheck />
      <div class="row">
        <button type="submit" class="button primary">{t("catalogue.save")}</button>
        <button type="button" class="button" onClick={look}>{t("catalogue.check")}</button>
        {text !== told.body && <button type="button" class="button bare" onClick={() => { setText(told.body); setFaults(undefined); setChanges(undefined); }}>{t("catalogue.revert")}</button>}
      </div>
    </form>
  );
}
