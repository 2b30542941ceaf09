"""What a reviewer answers to a scorecard, and what the operator says to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callsvc.errors import Conflict, NotFound, UsageError
from callsvc.review.scorecard import Scorecard
from callsvc.store import Connection


class Unanswered(Conflict):
    """Some questions have no answer yet."""


class Finished(Conflict):
    """The assessment is done and stays as it is."""


class NothingToAnswer(Conflict):
    """There is no finished assessment of this call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A choice; `at_ms` is the place in the call that it is about, where one was pinned."""

    question: str
    choice: str
    at_ms: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Without the one who made it: an assessment is the service's, not a person's."""

    id: UUID
    review_id: UUID
    call_id: UUID
    seat: int
    card: Scorecard
    comment: str
    taken_at: datetime
    done_at: datetime | None
    reply: str
    replied_at: datetime | None
    answers: tuple[Answer, ...]


_ASSESSMENT = (
    "select a.id, a.review_id, r.call_id, a.seat, a.card, a.comment, a.taken_at, a.done_at, a.reply, a.replied_at"
    " from assessments a join reviews r on r.id = a.review_id"
)


async def get(conn: Connection, assessment: UUID) -> Assessment:
    """Raises `NotFound`."""
    cursor = await conn.execute(_ASSESSMENT + " where a.id = %s", [assessment])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no such assessment.")
    return await _whole(conn, row)


async def of_review(conn: Connection, review: UUID) -> list[Assessment]:
    """All of a review, in the order of their seats."""
    cursor = await conn.execute(_ASSESSMENT + " where a.review_id = %s order by a.seat", [review])
    return [await _whole(conn, row) for row in await cursor.fetchall()]


async def of_call(conn: Connection, call_id: UUID) -> Assessment | None:
    """What the operator of a call is shown: the first that is done. The second one is for comparing reviewers."""
    cursor = await conn.execute(
        _ASSESSMENT + " where r.call_id = %s and a.seat = 1 and a.done_at is not null", [call_id]
    )
    row = await cursor.fetchone()
    return None if row is None else await _whole(conn, row)


async def told_to(
    conn: Connection, operator: UUID, *, limit: int = 50
) -> list[tuple[UUID, datetime, str, bool]]:
    """For an operator: their own calls with a finished assessment, the latest first: (call, done at, line, replied)."""
    cursor = await conn.execute(
        "select r.call_id, a.done_at, c.profile, a.replied_at is not null as replied"
        " from assessments a join reviews r on r.id = a.review_id join calls c on c.id = r.call_id"
        " where a.seat = 1 and a.done_at is not null and %(who)s in (c.answered_by, c.created_by)"
        " order by a.done_at desc, a.id limit %(limit)s",
        {"who": operator, "limit": limit},
    )
    return [(r["call_id"], r["done_at"], r["profile"], r["replied"]) for r in await cursor.fetchall()]


async def _whole(conn: Connection, row: dict[str, Any]) -> Assessment:
    cursor = await conn.execute(
        "select question, choice, at_ms, note from assessment_answers where assessment_id = %s", [row["id"]]
    )
    card = Scorecard.model_validate(row.pop("card"))
    order = [one.id for one in card.question]
    given = sorted(
        (Answer(**one) for one in await cursor.fetchall()), key=lambda one: order.index(one.question)
    )
    return Assessment(**row, card=card, answers=tuple(given))


async def answer(conn: Connection, assessment: UUID, given: Answer) -> None:
    """Answer a question, or answer it anew. Raises `UsageError` for what the card does not ask, `Finished`, `NotFound`."""
    found = await get(conn, assessment)
    if found.done_at is not None:
        raise Finished
    if given.choice not in {one.id for one in found.card.choices(given.question)}:
        raise UsageError("The scorecard has no such question or answer.")
    await conn.execute(
        "insert into assessment_answers (assessment_id, question, choice, at_ms, note) values (%s, %s, %s, %s, %s)"
        " on conflict (assessment_id, question) do update"
        " set choice = excluded.choice, at_ms = excluded.at_ms, note = excluded.note",
        [assessment, given.question, given.choice, given.at_ms, given.note],
    )


async def finish(conn: Connection, assessment: UUID, comment: str, *, at: datetime) -> None:
    """Close it; from then on it stays as it is, and its operator may read it. Raises `Unanswered`, `Finished`."""
    found = await get(conn, assessment)
    if found.done_at is not None:
        raise Finished
    if {one.id for one in found.card.question} - {one.question for one in found.answers}:
        raise Unanswered
    await conn.execute(
        "update assessments set comment = %s, done_at = %s where id = %s", [comment, at, assessment]
    )


async def reply(conn: Connection, call_id: UUID, words: str, *, at: datetime) -> None:
    """What the operator says to it; it may be said anew. Raises `NothingToAnswer`."""
    found = await of_call(conn, call_id)
    if found is None:
        raise NothingToAnswer
    await conn.execute(
        "update assessments set reply = %s, replied_at = %s where id = %s", [words, at, found.id]
    )
