/** Answers over time, by line: never by person, and not where so few calls lie behind that it would be one. */
import { Fragment } from "preact";
import { api, type Shape } from "../api/client";
import { profileName } from "../call/words";
import { monthName, number, percent } from "../format";
import { t, tn } from "../locale";
import { useResource } from "../resource";
import { addresses } from "../router";
import { Icon } from "../parts/Icon";
import { Fault } from "../parts/Notice";
import { Page } from "../parts/Page";
import { said } from "../review/words";

type Figures = Shape<"FiguresOut">;

export function ReviewFigures() {
  const found = useResource((signal) => api.get("/api/review-figures", { query: { months: 6 }, signal }), []);
  const back = <p class="way-back"><a href={addresses.reviews}><Icon name="left" size={18} />{t("review.back")}</a></p>;
  const told = found.data;
  const lines = told ? [...new Set(told.cells.map((cell) => cell.profile))] : [];
  return (
    <Page before={back} title={t("review.figures.title")} lead={t("review.figures.lead")}>
      {found.problem && !told && <Fault problem={found.problem} retry={found.reload} />}
      {told && lines.length === 0 && <p class="empty">{t("review.figures.none")}</p>}
      {told && lines.map((line) => <Line key={line} line={line} told={told} />)}
      {told && (
        <section class="card" aria-labelledby="agreement">
          <h2 id="agreement">{t("review.figures.agreement")}</h2>
          {told.compared === 0 ? <p class="empty">{t("review.figures.agreement.none")}</p> : (
            <p>{tn("review.figures.compared", told.compared)} {t("review.agree", { same: told.agreement.same, asked: told.agreement.asked })}
              {told.agreement.kappa !== null && <> {t("review.figures.kappa", { kappa: number(told.agreement.kappa, 2) })}</>}</p>
          )}
        </section>
      )}
      {told && <p class="hint">{t("review.figures.least", { n: told.least })}</p>}
    </Page>
  );
}

function Line({ line, told }: { line: string; told: Figures }) {
  const months = [...new Set(told.cells.map((cell) => cell.month))].sort();
  const cell = (question: string, month: string) => told.cells.find((one) => one.profile === line && one.question === question && one.month === month);
  return (
    <section class="card figures" aria-labelledby={`line-${line}`}>
      <h2 id={`line-${line}`}>{profileName(line)}</h2>
      <div class="figures-box" tabIndex={0} role="group" aria-labelledby={`line-${line}`}>
        <table>
          <thead><tr><th scope="col">{t("review.figures.question")}</th>{months.map((month) => <th key={month} scope="col">{monthName(month)}</th>)}</tr></thead>
          <tbody>
            {told.questions.map((question) => (
              <tr key={question.id}>
                <th scope="row">{said(question)}</th>
                {months.map((month) => {
                  const one = cell(question.id, month);
                  const mean = one?.mean ?? null;
                  return <td key={month}>{mean === null ? <span class="aside">{one ? t("review.figures.few") : t("facts.unknown")}</span> : (
                    <Fragment><span class="share">{percent(Math.round(100 * mean))}</span><meter min={0} max={1} value={mean} aria-hidden="true" /><span class="aside">{tn("calls.count", one?.calls ?? 0)}</span></Fragment>
                  )}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
