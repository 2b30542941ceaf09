"""Reviews: what waits, what somebody has, what is done; taken up, and given back with the place kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import Conflict, NotFound
from callsvc.ids import new_id
from callsvc.review.scorecard import scorecard
from callsvc.store import Connection
from callsvc.types import Profile

Which = Literal["mine", "waiting", "done"]
NEWEST = 100


class Taken(Conflict):
    """Somebody else has taken it meanwhile, or it is done."""


class OwnCall(Conflict):
    """Nobody reviews a call of their own."""


@dataclass(frozen=True, slots=True)
class Review:
    """A call on the worklist, as one reviewer sees it: whose the call was is no part of it.

    `taken` and `done` count reviewers; `mine` is the reviewer's own assessment, if they have one.
    """

    id: UUID
    call_id: UUID
    rule: str
    rules_version: str
    seats: int
    drawn_at: datetime
    place_ms: int
    handed_over: str
    captions: list[dict[str, Any]]
    profile: str
    started_at: datetime | None
    length_ms: int | None
    degraded: bool
    taken: int
    done: int
    mine: UUID | None
    mine_done: bool
    own_call: bool


_REVIEW = """
    select r.id, r.call_id, r.rule, r.rules_version, r.seats, r.drawn_at, r.place_ms, r.handed_over, r.captions,
           c.profile, c.started_at, c.length_ms,
           c.degraded is not null or coalesce(p.degraded, false) as degraded,
           coalesce(a.taken, 0) as taken, coalesce(a.done, 0) as done,
           m.id as mine, m.done_at is not null as mine_done,
           coalesce(%(who)s in (c.answered_by, c.created_by), false) as own_call
      from reviews r
      join calls c on c.id = r.call_id
      left join proofs p on p.call_id = r.call_id
      left join lateral (select count(*) as taken, count(done_at) as done from assessments
                          where review_id = r.id) a on true
      left join assessments m on m.review_id = r.id and m.reviewer_id = %(who)s
"""
_WHICH: dict[Which, str] = {
    "mine": " where m.id is not null and m.done_at is null",
    "waiting": " where m.id is null and coalesce(a.taken, 0) < r.seats"
    " and not coalesce(%(who)s in (c.answered_by, c.created_by), false)",
    "done": " where m.done_at is not null or coalesce(a.done, 0) >= r.seats",
}


async def listing(conn: Connection, who: UUID, which: Which, *, limit: int = NEWEST) -> list[Review]:
    """For one reviewer: what they have, what they could take up, what is done. The newest first."""
    async with conn.cursor(row_factory=class_row(Review)) as cursor:
        await cursor.execute(
            _REVIEW + _WHICH[which] + " order by r.drawn_at desc, r.id limit %(limit)s",
            {"who": who, "limit": limit},
        )
        return await cursor.fetchall()


async def get(conn: Connection, review: UUID, who: UUID) -> Review:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Review)) as cursor:
        await cursor.execute(_REVIEW + " where r.id = %(id)s", {"who": who, "id": review})
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such review.")


async def of_call(conn: Connection, call_id: UUID, who: UUID) -> Review | None:
    async with conn.cursor(row_factory=class_row(Review)) as cursor:
        await cursor.execute(_REVIEW + " where r.call_id = %(id)s", {"who": who, "id": call_id})
        return await cursor.fetchone()


async def take(conn: Connection, review: UUID, who: UUID, *, at: datetime) -> UUID:
    """A free seat of a review, with the scorecard as it is now; the id of the assessment. One that one has already is
    given again. Raises `Taken`, `OwnCall`, `NotFound`."""
    await conn.execute("select 1 from reviews where id = %s for update", [review])
    found = await get(conn, review, who)
    if found.mine is not None:
        return found.mine
    if found.own_call:
        raise OwnCall
    cursor = await conn.execute("select seat from assessments where review_id = %s", [review])
    held = {row["seat"] for row in await cursor.fetchall()}
    free = [seat for seat in range(1, found.seats + 1) if seat not in held]
    if not free:
        raise Taken
    card = scorecard().for_line(Profile(found.profile))
    made = new_id()
    try:
        await conn.execute(
            "insert into assessments (id, review_id, seat, reviewer_id, card, taken_at)"
            " values (%s, %s, %s, %s, %s, %s)",
            [made, review, free[0], who, Jsonb(card.model_dump(mode="json")), at],
        )
    except UniqueViolation:
        raise Taken from None
    return made


async def give_back(conn: Connection, review: UUID, who: UUID, *, place_ms: int, word: str) -> None:
    """Let a colleague take it up from this place. The answers begun go: whoever answers has heard the call themselves.

    Raises `NotFound`, and `Taken` when it is done.
    """
    found = await get(conn, review, who)
    if found.mine is None:
        raise NotFound("You do not have this review.")
    if found.mine_done:
        raise Taken
    await conn.execute("delete from assessments where id = %s", [found.mine])
    await conn.execute(
        "update reviews set place_ms = %s, handed_over = %s where id = %s", [place_ms, word, review]
    )


async def pair(conn: Connection, review: UUID) -> None:
    """Ask for a second reviewer, to be compared."""
    await conn.execute("update reviews set seats = 2 where id = %s", [review])
