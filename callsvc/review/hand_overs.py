"""Calls handed from one person to another by name, with the place kept. It gives no right that the other does not have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import NotFound
from callsvc.ids import new_id
from callsvc.store import Connection
from callsvc.types import Role


@dataclass(frozen=True, slots=True)
class HandOver:
    """What somebody handed over. `review_id` where it was a review; `place_ms` where they had come to."""

    id: UUID
    call_id: UUID
    review_id: UUID | None
    from_name: str
    profile: str
    started_at: datetime | None
    place_ms: int | None
    word: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody to whom something can be handed."""

    id: UUID
    display_name: str


async def colleagues(conn: Connection, roles: Iterable[Role], *, but: UUID) -> list[Colleague]:
    """Whoever has one of these roles and an account that is open, by name."""
    async with conn.cursor(row_factory=class_row(Colleague)) as cursor:
        await cursor.execute(
            "select id, display_name from users where roles && %s::text[] and disabled_at is null and id <> %s"
            " order by lower(display_name), id",
            [[str(role) for role in roles], but],
        )
        return await cursor.fetchall()


async def give(
    conn: Connection,
    call_id: UUID,
    giver: UUID,
    to: UUID,
    *,
    place_ms: int | None,
    word: str,
    at: datetime,
    review: UUID | None = None,
) -> UUID:
    made = new_id()
    await conn.execute(
        "insert into hand_overs (id, call_id, review_id, from_id, to_id, place_ms, word, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [made, call_id, review, giver, to, place_ms, word, at],
    )
    return made


async def waiting(conn: Connection, to: UUID) -> list[HandOver]:
    """What was handed to this person and not taken up yet, the oldest first."""
    async with conn.cursor(row_factory=class_row(HandOver)) as cursor:
        await cursor.execute(
            "select h.id, h.call_id, h.review_id, u.display_name as from_name, c.profile, c.started_at, h.place_ms, h.word, h.at"
            " from hand_overs h join calls c on c.id = h.call_id join users u on u.id = h.from_id"
            " where h.to_id = %s and h.taken_at is null order by h.at, h.id limit 200",
            [to],
        )
        return await cursor.fetchall()


async def take(conn: Connection, hand_over: UUID, who: UUID, *, at: datetime) -> UUID:
    """It is with its receiver now; which call it is. Raises `NotFound` for one that is not theirs."""
    cursor = await conn.execute(
        "update hand_overs set taken_at = coalesce(taken_at, %s) where id = %s and to_id = %s returning call_id",
        [at, hand_over, who],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no such hand-over.")
    call: UUID = row["call_id"]
    return call
