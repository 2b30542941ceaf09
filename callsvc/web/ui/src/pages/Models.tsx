/** Models of speech to text and of quiet: which is used for what, how each was found, and choosing another that lies here. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { DriftTabs } from "../admin/DriftTabs";
import { ModelFound } from "../admin/ModelFound";
import { date, number } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { may } from "../session";
import { Dialog } from "../parts/Dialog";
import { Fault, Notice } from "../parts/Notice";
import { Page } from "../parts/Page";
import { State } from "../parts/State";

type Told = Shape<"ModelsOut">;
type Model = Shape<"ModelOut">;
type Purpose = Shape<"ModelUse">["purpose"];

export function Models() {
  const found = useResource((signal) => api.get("/api/models", { signal }), []);
  const told = found.data;
  const [choosing, choose] = useState<{ model: Model; purpose: Purpose }>();
  return (
    <Page title={t("models.title")} lead={t("models.lead")} before={<DriftTabs />}>
      {found.problem && <Fault problem={found.problem} retry={found.reload} />}
      {told && (
        <>
          <Uses told={told} />
          <section aria-labelledby="shelf">
            <h2 id="shelf">{t("models.shelf")}</h2>
            <p class="hint">{t("models.shelf.hint")}</p>
            <div class="card table-card models-shelf"><table class="cards">
              <thead><tr><th scope="col">{t("models.model")}</th><th scope="col">{t("models.size")}</th><th scope="col">{t("models.wer")}</th><th scope="col">{t("models.standing")}</th><td /></tr></thead>
              <tbody>{told.models.map((one) => <Row key={one.name} model={one} choose={(purpose) => choose({ model: one, purpose })} />)}</tbody>
            </table></div>
          </section>
          {choosing && <Choose {...choosing} told={told} close={() => choose(undefined)} done={() => { choose(undefined); found.reload(); }} />}
        </>
      )}
    </Page>
  );
}

function Uses({ told }: { told: Told }) {
  const since = (what: "text" | "quiet") => told.worked.filter((one) => one.what === what)
    .map((one) => tn("models.worked", one.calls, { model: one.model, at: date(one.last_at) }));
  return (
    <section aria-labelledby="uses">
      <h2 id="uses">{t("models.uses")}</h2>
      <ul class="model-uses">
        {told.uses.map((one) => (
          <li key={one.purpose} class="card">
            <h3>{t(`models.purpose.${one.purpose}`)}</h3>
            <p class="model-name">{one.name ?? t("models.none")}</p>
            <ModelFound found={one.found} />
            {one.in_settings && <p class="hint">{t("models.in_settings", { setting: one.purpose === "final" ? "transcripts.model_dir" : "transcripts.live_model_dir" })}</p>}
            {one.purpose === "final" && since("text").map((line) => <p key={line} class="aside">{line}</p>)}
          </li>
        ))}
        <li class="card">
          <h3>{t("models.purpose.quiet")}</h3>
          <p class="model-name">{told.suppressor.name}</p>
          {!told.suppressor.enabled && <State tone="warn">{t("models.quiet.off")}</State>}
          <ModelFound found={told.suppressor.found} />
          {since("quiet").map((line) => <p key={line} class="aside">{line}</p>)}
        </li>
      </ul>
      <p class="hint">{t("models.of_late", { n: told.days })}</p>
    </section>
  );
}

function Row({ model, choose }: { model: Model; choose: (purpose: Purpose) => void }) {
  const [found, setFound] = useState<Shape<"ModelState">>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const check = () => {
    setBusy(true);
    setProblem(undefined);
    api.post("/api/models/{name}/check", { path: { name: model.name } }).then(setFound)
      .catch((fault: unknown) => setProblem(Problem.of(fault)))
      .finally(() => setBusy(false));
  };
  const able: Purpose[] = (["final", "live"] as const).filter((one) => !model.used_for.includes(one) && (model.use === null || model.use === "both" || model.use === one));
  return (
    <tr>
      <th scope="row">{model.name}{model.used_for.map((one) => <span key={one} class="tag">{t(`models.purpose.${one}`)}</span>)}
        <span class="aside">{[model.licence ?? t("models.no_licence"), model.languages ? t(`models.languages.${model.languages}`) : "", model.use ? t(`models.fit.${model.use}`) : ""].filter(Boolean).join(" · ")}</span></th>
      <td data-label={t("models.size")}>{t("models.mb", { n: number(model.size_mb) })}{model.memory_mb !== null && <span class="aside"> {t("models.memory", { n: number(model.memory_mb) })}</span>}</td>
      <td data-label={t("models.wer")}>{model.wer.length ? model.wer.map((one) => number(one, 1)).join(" / ") : t("facts.unknown")}
        {model.wer.length > 0 && !model.wer_confirmed && <span class="aside"> {t("models.unconfirmed")}</span>}</td>
      <td data-label={t("models.standing")}>
        {!model.here && <State tone="quiet">{t(model.partly ? "models.partly" : "models.not_here")}</State>}
        {model.here && !found && !busy && <State tone="quiet">{t("models.unchecked")}</State>}
        {busy && <State tone="busy">{t("models.checking")}</State>}
        {found && !busy && <ModelFound found={found} />}
        {problem && <Fault problem={problem} />}
      </td>
      <td class="end">
        {model.here && <button type="button" class="button small" disabled={busy} onClick={check} aria-label={t("models.check.of", { model: model.name })}>{t("models.check")}</button>}
        {model.here && may("models.choose") && able.map((one) => <button key={one} type="button" class="button small" onClick={() => choose(one)}
          aria-label={`${t(`models.use.${one}`)}: ${model.name}`}>{t(`models.use.${one}`)}</button>)}
      </td>
    </tr>
  );
}

function Choose({ model, purpose, told, close, done }: { model: Model; purpose: Purpose; told: Told; close: () => void; done: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const now = told.uses.find((one) => one.purpose === purpose);
  const submit = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    api.put("/api/models/uses/{purpose}", { path: { purpose }, body: { name: model.name } }).then(done)
      .catch((fault: unknown) => { setProblem(Problem.of(fault)); setBusy(false); });
  };
  return (
    <Dialog title={t("models.use.of", { model: model.name, purpose: t(`models.purpose.${purpose}`) })} close={close}>
      <form onSubmit={submit}>
        {problem && <Fault problem={problem} />}
        <p>{t("models.instead", { before: now?.name ?? t("models.none") })} {t(`models.then.${purpose}`)}</p>
        {now?.in_settings && <Notice tone="warn" title={t("models.in_settings", { setting: purpose === "final" ? "transcripts.model_dir" : "transcripts.live_model_dir" })} />}
        <div class="row"><button type="submit" class="button primary" disabled={busy}>{busy ? t("models.checking") : t("models.use")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </form>
    </Dialog>
  );
}
