/** What a change would change, asked for its reason before it is put in force. */
import { useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { t } from "../locale";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Fault } from "../parts/Notice";
import { Differences } from "./Differences";

type Props = {
  kind: string;
  text: Shape<"CatalogueText">;
  lines: Shape<"ChangedLine">[];
  close: () => void;
  refused: (faults: Shape<"CatalogueFault">[]) => void;
  /** Somebody else has saved meanwhile. */
  overtaken: () => void;
  done: (version: number) => void;
};

export function Confirm({ kind, text, lines, close, refused, overtaken, done }: Props) {
  const [why, setWhy] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const save = (event: Event) => {
    event.preventDefault();
    setProblem(undefined);
    api.put("/api/catalogues/{kind}", { path: { kind }, body: { ...text, why } })
      .then((answer) => (answer.version === null ? refused(answer.faults) : done(answer.version)))
      .catch((fault: unknown) => {
        const told = Problem.of(fault);
        setProblem(told);
        if (told.code === "edited_meanwhile") overtaken();
      });
  };
  return (
    <Dialog wide title={t("catalogue.confirm")} close={close}>
      <form onSubmit={save}>
        {problem && <Fault problem={problem} />}
        <Differences lines={lines} />
        {lines.length > 0 && <Field label={t("catalogue.why")} value={why} change={setWhy} hint={t("catalogue.why.hint")} spellcheck autofocus />}
        <div class="row">
          {lines.length > 0 && <button type="submit" class="button primary">{t("catalogue.save")}</button>}
          <button type="button" class="button" onClick={close}>{t("catalogue.on")}</button>
        </div>
      </form>
    </Dialog>
  );
}
