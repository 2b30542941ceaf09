/** Every version that was saved: who, when and why, what it changed, and a way back to it. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { moment } from "../format";
import { t } from "../locale";
import { useResource } from "../resource";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { Differences } from "./Differences";

type Told = Shape<"CatalogueOut">;

export function Versions({ told, done }: { told: Told; done: () => void }) {
  const [shown, show] = useState<number>();
  const [back, setBack] = useState<number>();
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">{t("versions.title")}</h2>
      <div class="card table-card">
        <table class="cards">
          <thead><tr><th scope="col">{t("versions.version")}</th><th scope="col">{t("versions.who")}</th><th scope="col">{t("versions.why")}</th><td /></tr></thead>
          <tbody>
            {told.history.map((one) => (
              <tr key={one.version}>
                <th scope="row">{t("versions.n", { n: one.version })}<span class="aside"><time datetime={one.at}>{moment(one.at)}</time></span></th>
                <td data-label={t("versions.who")}>{one.by?.display_name ?? t("log.service")}</td>
                <td data-label={t("versions.why")}>{one.why}{one.undoes !== null && <span class="tag">{one.undoes === 0 ? t("versions.undoes.first") : t("versions.undoes", { n: one.undoes })}</span>}</td>
                <td class="end">
                  <button type="button" class="button small" onClick={() => show(one.version)} aria-label={t("versions.changes.of", { n: one.version })}>{t("versions.changes")}</button>
                  {one.version !== told.version && <> <button type="button" class="button small" onClick={() => setBack(one.version)} aria-label={t("versions.back.to", { n: one.version })}><Icon name="recall" size={16} />{t("versions.back")}</button></>}
                </td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t("versions.first")}</th>
              <td data-label={t("versions.who")}>{t("log.service")}</td>
              <td data-label={t("versions.why")}><span class="aside">{t("versions.first.why")}</span></td>
              <td class="end">{told.version !== 0 && <button type="button" class="button small" onClick={() => setBack(0)} aria-label={t("versions.back.first")}><Icon name="recall" size={16} />{t("versions.back")}</button>}</td>
            </tr>
          </tbody>
        </table>
      </div>
      {shown !== undefined && <Changes kind={told.kind} version={shown} close={() => show(undefined)} />}
      {back !== undefined && <Back told={told} to={back} close={() => setBack(undefined)} done={() => { setBack(undefined); done(); }} />}
    </section>
  );
}

function Changes({ kind, version, close }: { kind: string; version: number; close: () => void }) {
  const found = useResource((signal) => api.get("/api/catalogues/{kind}/versions/{before}/changes/{after}",
    { path: { kind, before: version - 1, after: version }, signal }), [kind, version]);
  return (
    <Dialog wide title={t("versions.changes.of", { n: version })} close={close}>
      {found.problem && <Fault problem={found.problem} />}
      {found.data && <Differences lines={found.data.lines} />}
    </Dialog>
  );
}

function Back({ told, to, close, done }: { told: Told; to: number; close: () => void; done: () => void }) {
  const [why, setWhy] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [faults, setFaults] = useState<Shape<"CatalogueFault">[]>([]);
  const found = useResource((signal) => api.get("/api/catalogues/{kind}/versions/{before}/changes/{after}",
    { path: { kind: told.kind, before: told.version, after: to }, signal }), [to]);
  const submit = (event: Event) => {
    event.preventDefault();
    setProblem(undefined);
    api.post("/api/catalogues/{kind}/undo", { path: { kind: told.kind }, body: { version: told.version, to, why } })
      .then((answer) => answer.faults.length > 0 ? setFaults(answer.faults) : done())
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog wide title={to === 0 ? t("versions.back.first") : t("versions.back.to", { n: to })} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        {faults.length > 0 && <Notice tone="bad" title={t("catalogue.faults")}><ul class="fault-list">{faults.map((one) => <li key={one.field}><strong>{one.field}</strong> {one.message}</li>)}</ul></Notice>}
        <p class="hint">{t("versions.back.hint")}</p>
        {found.data && <Differences lines={found.data.lines} />}
        <Field label={t("catalogue.why")} value={why} change={setWhy} hint={t("catalogue.why.hint")} spellcheck autofocus />
        <div class="row"><button type="submit" class="button primary">{t("versions.back")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}
