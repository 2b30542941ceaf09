"""Quality review: the worklist, the scorecard, calibration, what operators are told, figures by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import Conflict, UsageError
from callsvc.review import assessments, hand_overs, worklist
from callsvc.review.agreement import Agreement, agreement, pairs
from callsvc.review.assessments import Answer, Assessment
from callsvc.review.figures import LEAST, figures
from callsvc.review.rules import CHOSEN, rules
from callsvc.review.sampling import enter
from callsvc.review.scorecard import Choice, Question, Scorecard, scorecard
from callsvc.review.worklist import Review, Which
from callsvc.store import Connection, calls
from callsvc.types import CallState, Profile
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.problems import Problem, telling
from callsvc.web.routes.hand_overs import demand_receiver
from callsvc.web.shapes_notes import ChoiceOut
from callsvc.web.shapes_review import (
    AgreementOut,
    AnswerOut,
    AnswerToGive,
    AssessmentOut,
    CellOut,
    Compared,
    Conclusion,
    FiguresOut,
    GivingBack,
    Id,
    NewReview,
    QuestionOut,
    Reply,
    ReviewBrief,
    ReviewList,
    ReviewOut,
    RuleOut,
    ToldBrief,
    ToldList,
    ToldOut,
)

router = APIRouter(prefix="/api", tags=["review"])
Reviewer = Annotated[Session, Depends(door.may(Action.REVIEW_WORK))]
Asker = Annotated[Session, Depends(door.may(Action.REVIEW_ASK))]
Reader = Annotated[Session, Depends(door.may(Action.REVIEW_FIGURES))]
Operator = Annotated[Session, Depends(door.may(Action.REVIEW_ANSWER))]
ReviewId = Annotated[UUID, Depends(door.review_id)]

MONTH = timedelta(days=31)
WRONG: Final = {
    worklist.Taken: "review_taken",
    worklist.OwnCall: "own_call",
    assessments.Unanswered: "review_unanswered",
    assessments.Finished: "review_finished",
    UsageError: "invalid",
}
"""What can go wrong with a review, as problems."""


@router.get("/reviews")
async def listing(here: OneSite, session: Reviewer, which: Which = "waiting") -> ReviewList:
    """What the asker has, what waits, or what is done."""
    async with here.database.transaction() as conn:
        found = await worklist.listing(conn, session.person.id, which)
    return ReviewList(
        reviews=[_brief(one) for one in found],
        rules=[RuleOut(id=one.id, sv=one.sv, en=one.en, share_pct=one.share_pct) for one in rules().rule],
        rules_version=rules().version,
    )


@router.post("/reviews", status_code=201)
async def choose(here: OneSite, session: Reviewer, asked: NewReview) -> ReviewBrief:
    """Put a call on the worklist by hand. It is in no figure: nobody drew it."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        call = await calls.get(conn, asked.call_id)
        if call.state != CallState.ENDED:
            raise Conflict("The call goes on.")
        review = await enter(conn, asked.call_id, CHOSEN, 1, at=at)
        await door.noted(conn, here, session, asked.call_id, "review.choose")
        found = await worklist.get(conn, review, session.person.id)
    here.changes.poke()
    return _brief(found)


@router.post("/calls/{call_id}/review-request", status_code=204)
async def ask_for_review(here: OneSite, session: Asker, call_id: CallId) -> None:
    """Ask that a call be reviewed; an operator for a call of their own. Asked again it changes nothing."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.REVIEW_ASK, call_id)
        if (await calls.get(conn, call_id)).state != CallState.ENDED:
            raise Conflict("The call goes on.")
        await enter(conn, call_id, CHOSEN, 1, at=at)
        await door.noted(conn, here, session, call_id, Action.REVIEW_ASK)
    here.changes.poke()


@router.get("/reviews/{review_id}")
async def one(here: OneSite, session: Reviewer, review_id: ReviewId) -> ReviewOut:
    """A review, with the asker's own answers; the other reviewer's when both are done."""
    async with here.database.transaction() as conn:
        return await _whole(conn, review_id, session.person.id)


@router.post("/reviews/{review_id}/taking")
async def take(here: OneSite, session: Reviewer, review_id: ReviewId) -> ReviewOut:
    """Take it up, with the scorecard as it is now."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        with telling(WRONG):
            await worklist.take(conn, review_id, session.person.id, at=at)
        whole = await _whole(conn, review_id, session.person.id)
        await door.noted(conn, here, session, whole.review.call_id, "review.take")
    here.changes.poke()
    return whole


@router.post("/reviews/{review_id}/giving-back", status_code=204)
async def give_back(here: OneSite, session: Reviewer, review_id: ReviewId, asked: GivingBack) -> None:
    """Leave it to a colleague, who begins where the asker stopped and answers anew."""
    async with here.database.transaction() as conn:
        found = await worklist.get(conn, review_id, session.person.id)
        with telling(WRONG):
            await worklist.give_back(
                conn, review_id, session.person.id, place_ms=asked.place_ms, word=" ".join(asked.word.split())
            )
        if asked.to is not None:
            await demand_receiver(conn, asked.to, but=session.person.id, action=Action.REVIEW_WORK)
            await hand_overs.give(
                conn, found.call_id, session.person.id, asked.to, review=review_id,
                place_ms=asked.place_ms, word=" ".join(asked.word.split()), at=here.clock.utc_now(),
            )  # fmt: skip
        await door.noted(conn, here, session, found.call_id, "review.give_back")
    here.changes.poke()


@router.post("/reviews/{review_id}/pairing", status_code=204)
async def pair(here: OneSite, session: Reviewer, review_id: ReviewId) -> None:
    """Ask for a second reviewer, to compare what the questions mean (calibration)."""
    async with here.database.transaction() as conn:
        await worklist.get(conn, review_id, session.person.id)
        await worklist.pair(conn, review_id)
    here.changes.poke()


@router.put("/reviews/{review_id}/answers/{question}", status_code=204)
async def answer(
    here: OneSite,
    session: Reviewer,
    review_id: ReviewId,
    question: Annotated[Id, Path()],
    asked: AnswerToGive,
) -> None:
    """Answer a question of the asker's own scorecard, or answer it anew."""
    given = Answer(question, asked.choice, asked.at_ms, asked.note)
    async with here.database.transaction() as conn:
        with telling(WRONG):
            await assessments.answer(conn, await _mine(conn, review_id, session), given)


@router.post("/reviews/{review_id}/conclusion")
async def conclude(here: OneSite, session: Reviewer, review_id: ReviewId, asked: Conclusion) -> ReviewOut:
    """Close one's assessment. From then on it stays as it is, and the operator of the call may read it."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        with telling(WRONG):
            await assessments.finish(conn, await _mine(conn, review_id, session), asked.comment, at=at)
        whole = await _whole(conn, review_id, session.person.id)
        await door.noted(conn, here, session, whole.review.call_id, "review.finish")
    here.changes.poke()
    return whole


@router.get("/own-reviews")
async def told(here: OneSite, session: Operator) -> ToldList:
    """For an operator: calls of their own that were reviewed."""
    async with here.database.transaction() as conn:
        found = await assessments.told_to(conn, session.person.id)
    return ToldList(
        calls=[
            ToldBrief(call_id=call, done_at=at, profile=Profile(line), replied=replied)
            for call, at, line, replied in found
        ]
    )


@router.get("/calls/{call_id}/assessment")
async def told_of(here: OneSite, session: Operator, call_id: CallId) -> ToldOut:
    """What was answered about a call of the operator's own."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.REVIEW_ANSWER, call_id)
        found = await assessments.of_call(conn, call_id)
        if found is not None:
            await door.noted(conn, here, session, call_id, "review.read")
    return ToldOut(assessment=None if found is None else _assessment(found))


@router.put("/calls/{call_id}/assessment/reply", status_code=204)
async def reply(here: OneSite, session: Operator, call_id: CallId, asked: Reply) -> None:
    """What the operator says to it; the reviewer reads it."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.REVIEW_ANSWER, call_id)
        await assessments.reply(conn, call_id, asked.words.strip(), at=here.clock.utc_now())
        await door.noted(conn, here, session, call_id, "review.reply")
    here.changes.poke()


@router.get("/review-figures")
async def over_time(
    here: OneSite, _session: Reader, months: Annotated[int, Query(ge=1, le=36)] = 12
) -> FiguresOut:
    """Answers by line and month, and how far reviewers agree. There are no figures of persons, nor can any be asked for."""
    since = here.clock.utc_now() - months * MONTH
    async with here.database.transaction() as conn:
        found = await figures(conn, since=since)
    card = scorecard()
    return FiguresOut(
        card=_choice(card),
        questions=[_choice(one) for one in card.question],
        cells=[
            CellOut(
                month=c.month, profile=Profile(c.profile), question=c.question, calls=c.calls, mean=c.mean
            )
            for c in found.cells
        ],
        least=LEAST,
        agreement=_agreement(found.agreed),
        compared=found.compared,
    )


async def _mine(conn: Connection, review: UUID, session: Session) -> UUID:
    found = await worklist.get(conn, review, session.person.id)
    if found.mine is None:
        raise Problem("review_taken")
    return found.mine


async def _whole(conn: Connection, review: UUID, who: UUID) -> ReviewOut:
    found = await worklist.get(conn, review, who)
    mine = await assessments.get(conn, found.mine) if found.mine else None
    made = await assessments.of_review(conn, review) if mine and found.done == 2 else []
    other = next((one for one in made if mine and one.id != mine.id), None)
    return ReviewOut(
        review=_brief(found),
        mine=None if mine is None else _assessment(mine),
        compared=Compared(
            other=_assessment(other), agreement=_agreement(agreement(pairs(_given(mine), _given(other))))
        )
        if mine and other
        else None,
    )


def _given(one: Assessment) -> dict[str, str]:
    return {answer.question: answer.choice for answer in one.answers}


def _brief(one: Review) -> ReviewBrief:
    return ReviewBrief(
        id=one.id,
        call_id=one.call_id,
        rule=one.rule,
        profile=Profile(one.profile),
        started_at=one.started_at,
        length_ms=one.length_ms,
        degraded=one.degraded,
        drawn_at=one.drawn_at,
        seats=one.seats,
        taken=one.taken,
        done=one.done,
        mine=one.mine is not None,
        mine_done=one.mine_done,
        place_ms=one.place_ms,
        handed_over=one.handed_over,
    )


def _choice(one: Choice | Question | Scorecard) -> ChoiceOut:
    return ChoiceOut(id=one.id, sv=one.sv, en=one.en)


def _choices(of: Sequence[Choice]) -> list[ChoiceOut]:
    return [_choice(one) for one in of]


def _assessment(one: Assessment) -> AssessmentOut:
    card = one.card
    return AssessmentOut(
        id=one.id,
        card=_choice(card),
        version=card.version,
        questions=[
            QuestionOut(id=q.id, sv=q.sv, en=q.en, source=q.source, choices=_choices(card.choices(q.id)))
            for q in card.question
        ],
        answers=[
            AnswerOut(question=a.question, choice=a.choice, at_ms=a.at_ms, note=a.note) for a in one.answers
        ],
        comment=one.comment,
        done_at=one.done_at,
        reply=one.reply,
        replied_at=one.replied_at,
    )


def _agreement(one: Agreement) -> AgreementOut:
    return AgreementOut(asked=one.asked, same=one.same, kappa=one.kappa)
