/** Somebody has saved another version while one was writing: told, and both can be kept. */
import { useEffect, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { t } from "../locale";
import { Fault, Notice } from "../parts/Notice";
import { asked } from "./Editor";
import type { Table } from "./form/value";
import { placeName } from "./form/words";
import type { Draft } from "./leaving";

type Told = Shape<"CatalogueOut">;
type Props = {
  told: Told;
  base: Told;
  draft: Draft;
  unsaved: boolean;
  begin: (from: Told) => void;
  merged: (from: Told, value: Table, text: string) => void;
  refused: (faults: Shape<"CatalogueFault">[]) => void;
};

export function Meanwhile({ told, base, draft, unsaved, begin, merged, refused }: Props) {
  const [both, setBoth] = useState<Shape<"CatalogueMerged">["both"]>([]);
  const [problem, setProblem] = useState<Problem>();
  // What both had changed is of no matter any more once it is saved or dropped.
  useEffect(() => { if (!unsaved) setBoth([]); }, [unsaved]);
  const merge = () => {
    setProblem(undefined);
    api.post("/api/catalogues/{kind}/merge", { path: { kind: told.kind }, body: asked(draft, base.body) })
      .then((answer) => {
        if (answer.value === null) return refused(answer.faults);
        setBoth(answer.both);
        merged({ ...told, version: answer.version }, answer.value as Table, answer.body);
      })
      .catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  if (!unsaved) return null;
  if (told.version === base.version) {
    return both.length === 0 ? null : (
      <Notice tone="warn" title={t("meanwhile.both")}>
        <ul class="fault-list">{both.map((place) => <li key={place.join()}>{placeName(told.kind, place)}</li>)}</ul>
      </Notice>
    );
  }
  const by = told.history[0]?.by?.display_name ?? t("log.service");
  return (
    <Notice tone="warn" title={t("meanwhile.title", { n: told.version, who: by })}>
      <p>{t("meanwhile.words")}</p>
      {problem && <Fault problem={problem} />}
      <div class="row">
        <button type="button" class="button small" onClick={merge}>{t("meanwhile.merge")}</button>
        <button type="button" class="button small" onClick={() => begin(told)}>{t("meanwhile.theirs", { n: told.version })}</button>
      </div>
    </Notice>
  );
}
