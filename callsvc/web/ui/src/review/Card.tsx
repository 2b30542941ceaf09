/** The scorecard: a number key answers the question one is at, and an answer may be pinned to its place in the call. */
import { useRef, useState } from "preact/hooks";
import { api, Problem, type Shape } from "../api/client";
import { Receiver, useColleagues } from "../call/HandOver";
import type { Sound } from "../call/sound";
import { clock, percent } from "../format";
import { hint, useKeys } from "../keys";
import { t } from "../locale";
import { addresses, go } from "../router";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { Fault, Notice } from "../parts/Notice";
import { said } from "./words";

type Whole = Shape<"ReviewOut">;
type Assessment = Shape<"AssessmentOut">;
type Question = Assessment["questions"][number];
type Answer = Assessment["answers"][number];
type Props = { whole: Whole; sound: Sound; change: (next: Whole) => void };

export function Card({ whole, sound, change }: Props) {
  const mine = whole.mine;
  if (!mine) return null;
  return (
    <aside class="review-card" aria-labelledby="card">
      <div class="card">
        <h2 id="card">{said(mine.card)}</h2>
        {mine.done_at ? <Done whole={whole} mine={mine} sound={sound} change={change} /> : <Open whole={whole} mine={mine} sound={sound} change={change} />}
      </div>
    </aside>
  );
}

function Open({ whole, mine, sound, change }: Props & { mine: Assessment }) {
  const [answers, setAnswers] = useState<Answer[]>(mine.answers);
  const given = (question: string) => answers.find((one) => one.question === question);
  const [at, setAt] = useState(() => Math.max(0, mine.questions.findIndex((one) => !mine.answers.some((answer) => answer.question === one.id))));
  const [comment, setComment] = useState("");
  const [handing, setHanding] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const list = useRef<HTMLOListElement>(null);
  const { questions } = mine;

  const give = (answer: Answer) => {
    setAnswers((before) => [...before.filter((one) => one.question !== answer.question), answer]);
    const { question, ...body } = answer;
    api.put("/api/reviews/{review_id}/answers/{question}", { path: { review_id: whole.review.id, question }, body })
      .then(() => setProblem(undefined)).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  const choose = (question: Question, choice: string) => {
    const before = given(question.id);
    give({ question: question.id, choice, at_ms: before?.at_ms ?? null, note: before?.note ?? "" });
  };
  const move = (to: number) => {
    setAt(to);
    list.current?.children[to]?.scrollIntoView({ block: "nearest" });
  };
  const key = (n: number) => () => {
    const question = questions[at];
    const choice = question?.choices[n - 1];
    if (!question || !choice) return;
    choose(question, choice.id);
    move(Math.min(at + 1, questions.length - 1));
  };
  const pin = (question: Question | undefined) => {
    const before = question && given(question.id);
    if (before) give({ ...before, at_ms: Math.round(sound.at.value * 1000) });
  };
  useKeys({
    answer1: key(1), answer2: key(2), answer3: key(3), answer4: key(4), answer5: key(5), answer6: key(6), answer7: key(7), answer8: key(8), answer9: key(9),
    questionBefore: () => move(Math.max(0, at - 1)), questionAfter: () => move(Math.min(questions.length - 1, at + 1)), pin: () => pin(questions[at]),
  });
  const left = questions.filter((one) => !given(one.id)).length;
  const conclude = (event: Event) => {
    event.preventDefault();
    api.post("/api/reviews/{review_id}/conclusion", { path: { review_id: whole.review.id }, body: { comment } })
      .then(change).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <form onSubmit={conclude}>
      <p class="hint">{t("review.card.how", { key: hint("pin") })}</p>
      <ol class="questions" ref={list}>
        {questions.map((question, n) => (
          <One key={question.id} question={question} answer={given(question.id)} now={n === at} choose={(choice) => { choose(question, choice); setAt(n); }}
            give={give} pin={() => pin(question)} sound={sound} />
        ))}
      </ol>
      <div class="field">
        <label for="card-comment">{t("review.card.comment")}</label>
        <textarea id="card-comment" rows={3} maxLength={4000} value={comment} onInput={(event) => setComment(event.currentTarget.value)} aria-describedby="card-comment-hint" />
        <p class="hint" id="card-comment-hint">{t("review.card.comment.hint")}</p>
      </div>
      {problem && <Fault problem={problem} />}
      <p role="status" class="hint">{left > 0 ? t("review.card.left", { n: left }) : t("review.card.all")}</p>
      <div class="row">
        <button type="submit" class="button primary"><Icon name="check" size={18} />{t("review.finish")}</button>
        <button type="button" class="button" onClick={() => setHanding(true)}>{t("review.give_back")}</button>
      </div>
      {handing && <GiveBack review={whole.review.id} call={whole.review.call_id} sound={sound} close={() => setHanding(false)} />}
    </form>
  );
}

type OneProps = { question: Question; answer: Answer | undefined; now: boolean; choose: (choice: string) => void; give: (answer: Answer) => void; pin: () => void; sound: Sound };

function One({ question, answer, now, choose, give, pin, sound }: OneProps) {
  return (
    <li class={now ? "question now" : "question"} aria-current={now ? "step" : undefined}>
      <fieldset>
        <legend>{said(question)}{question.source && <span class="tag">{question.source}</span>}</legend>
        <div class="chips">
          {question.choices.map((choice, n) => (
            <label key={choice.id} class="chip small">
              <input type="radio" name={question.id} checked={answer?.choice === choice.id} onChange={() => choose(choice.id)} />
              <span><kbd aria-hidden="true">{n + 1}</kbd>{said(choice)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {answer && (
        <div class="row pinned">
          {answer.at_ms === null
            ? <button type="button" class="button bare small" onClick={pin}><Icon name="pin" size={16} />{t("review.pin", { at: clock(sound.at.value) })}<span class="unseen"> {said(question)}</span></button>
            : <><button type="button" class="link" onClick={() => sound.seek((answer.at_ms ?? 0) / 1000)}>{t("review.pinned", { at: clock(answer.at_ms / 1000) })}</button>
              <button type="button" class="button bare small" onClick={() => give({ ...answer, at_ms: null })} aria-label={t("review.unpin", { what: said(question) })}><Icon name="close" size={16} /></button></>}
        </div>
      )}
    </li>
  );
}

function GiveBack({ review, call, sound, close }: { review: string; call: string; sound: Sound; close: () => void }) {
  const [word, setWord] = useState("");
  const [to, choose] = useState("");
  const people = useColleagues(call, true).data?.people ?? [];
  const [problem, setProblem] = useState<Problem>();
  const place_ms = Math.round(sound.at.value * 1000);
  const give = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    api.post("/api/reviews/{review_id}/giving-back", { path: { review_id: review }, body: { place_ms, word, to: to || null } })
      .then(() => go(addresses.reviews)).catch((fault: unknown) => setProblem(Problem.of(fault)));
  };
  return (
    <Dialog title={t("review.give_back")} close={close}>
      <div class="help">
        <p>{t("review.give_back.lead", { at: clock(place_ms / 1000) })}</p>
        {problem && <Fault problem={problem} />}
        {people.length > 0 && <Receiver people={people} to={to} choose={choose} none={t("handover.anybody")} />}
        <div class="field">
          <label for="give-back-word">{t("review.give_back.word")}</label>
          <textarea id="give-back-word" rows={2} maxLength={500} value={word} onInput={(event) => setWord(event.currentTarget.value)} />
        </div>
        <div class="row"><button type="button" class="button primary" onClick={give}>{t("review.give_back.do")}</button><button type="button" class="button" onClick={close}>{t("dialog.cancel")}</button></div>
      </div>
    </Dialog>
  );
}

function Done({ whole, mine, sound, change }: Props & { mine: Assessment }) {
  const compared = whole.compared;
  const pair = () => void api.post("/api/reviews/{review_id}/pairing", { path: { review_id: whole.review.id } })
    .then(() => api.get("/api/reviews/{review_id}", { path: { review_id: whole.review.id } })).then(change);
  return (
    <div class="review-done">
      <Notice tone="good" title={t("review.done.title")}><p>{t("review.done.hint")}</p></Notice>
      {compared && <p class="agreement"><strong>{t("review.agree", { same: compared.agreement.same, asked: compared.agreement.asked })}</strong>{" "}
        <span class="hint">{t("review.agree.share", { share: percent(Math.round((100 * compared.agreement.same) / Math.max(1, compared.agreement.asked))) })}</span></p>}
      <Answers mine={mine} other={compared?.other ?? null} seek={(ms) => sound.seek(ms / 1000)} />
      {mine.comment && <blockquote>{mine.comment}</blockquote>}
      {mine.reply && <div><h3>{t("review.reply.from")}</h3><blockquote>{mine.reply}</blockquote></div>}
      {whole.review.seats === 1 && <div><p class="hint">{t("review.pair.hint")}</p><button type="button" class="button small" onClick={pair}>{t("review.pair")}</button></div>}
      {whole.review.seats === 2 && !compared && <p class="hint">{t("review.pair.waits")}</p>}
    </div>
  );
}

/** Answers that stay as they are; the other reviewer's beside them where both are done. */
export function Answers({ mine, other, seek }: { mine: Assessment; other: Assessment | null; seek: ((ms: number) => void) | null }) {
  const words = (of: Assessment, question: Question) => {
    const choice = of.answers.find((one) => one.question === question.id)?.choice;
    const found = question.choices.find((one) => one.id === choice);
    return found ? said(found) : t("facts.unknown");
  };
  return (
    <dl class="answers">
      {mine.questions.map((question) => {
        const answer = mine.answers.find((one) => one.question === question.id);
        const differs = other !== null && words(mine, question) !== words(other, question);
        return (
          <div key={question.id}>
            <dt>{said(question)}</dt>
            <dd><strong>{words(mine, question)}</strong>
              {answer && answer.at_ms !== null && (seek
                ? <button type="button" class="link clock" onClick={() => seek(answer.at_ms ?? 0)}>{clock(answer.at_ms / 1000)}</button>
                : <span class="aside clock">{clock(answer.at_ms / 1000)}</span>)}
              {differs && other && <span class="tag">{t("review.other", { answer: words(other, question) })}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
