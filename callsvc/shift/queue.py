"""The calls that wait, and who has which in hand.

A call waits when its caller's leg is connected and nobody has answered. Who answers has it until it ends: the same
person may take it up again from a screen that was loaded anew, and nobody else may.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import Conflict, NotFound
from callsvc.shift.offers import Waiting
from callsvc.store import Connection
from callsvc.types import CallState, Profile

JOINS: Final = timedelta(seconds=20)
"""How long whoever has answered has for joining; then the call waits again."""
SETS_UP: Final = timedelta(seconds=150)
"""A call that nobody has joined for so long never was one: the tokens for it have expired."""


class Taken(Conflict):
    """Somebody else has answered this call."""


class Over(Conflict):
    """The call has ended."""


@dataclass(frozen=True, slots=True)
class InHand:
    """A call that somebody has answered; `node` is where it is, once a leg has joined there."""

    id: UUID
    profile: str
    state: str
    demo: bool
    answered_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    node: str | None
    line: str | None = None


_IN_HAND = "id, profile, state, demo, answered_at, started_at, ended_at, node, line"
GOES_ON: Final = """(c.state <> 'ended' and (c.answered_at > %(dead)s
    or exists (select 1 from legs j where j.call_id = c.id and j.joined_at is not null)))"""
# Connected, and not in the hand of anybody who came or may still come.
_WAITS = """
    c.state = 'setting_up' and l.joined_at is not null and l.left_at is null
    and (c.answered_by is null or (c.answered_at <= %(late)s and not exists (
         select 1 from legs o where o.call_id = c.id and o.leg = 'operator' and o.joined_at is not null)))
"""


async def waiting(conn: Connection, *, at: datetime) -> list[Waiting]:
    """Callers whom nobody has answered."""
    cursor = await conn.execute(
        "select c.id, c.profile, c.demo, c.line, l.joined_at from calls c"
        f" join legs l on l.call_id = c.id and l.leg = 'caller' where {_WAITS}",
        {"late": at - JOINS},
    )
    return [
        Waiting(row["id"], Profile(row["profile"]), row["joined_at"], row["demo"], row["line"])
        for row in await cursor.fetchall()
    ]


async def answer(conn: Connection, call_id: UUID, person: UUID, *, at: datetime) -> InHand:
    """Take a waiting call, or take up again the one that this person has.

    Raises `NotFound`, `Taken` when somebody else was first, `Over`.
    """
    cursor = await conn.execute(
        "select c.state, c.answered_by, (l.call_id is not null) as waits from calls c"
        f" left join legs l on l.call_id = c.id and l.leg = 'caller' and {_WAITS}"
        " where c.id = %(call)s for update of c",
        {"late": at - JOINS, "call": call_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no such call.")
    if row["state"] == CallState.ENDED:
        raise Over
    if row["answered_by"] != person:
        if not row["waits"]:
            raise Taken
        await conn.execute(
            "update calls set answered_by = %s, answered_at = %s where id = %s", [person, at, call_id]
        )
    found = await in_hand(conn, person, at=at)
    assert found is not None
    return found


async def place(conn: Connection, call_id: UUID, person: UUID, *, at: datetime) -> None:
    """A call that this person has placed is theirs from the beginning."""
    await conn.execute(
        "update calls set answered_by = %s, answered_at = %s where id = %s", [person, at, call_id]
    )


async def in_hand(conn: Connection, person: UUID, *, at: datetime) -> InHand | None:
    """The call that this person has answered and that goes on."""
    async with conn.cursor(row_factory=class_row(InHand)) as cursor:
        await cursor.execute(
            f"select {_IN_HAND} from calls c where answered_by = %(who)s and {GOES_ON}"
            " order by answered_at desc limit 1",
            {"who": person, "dead": at - SETS_UP},
        )
        return await cursor.fetchone()


async def fingerprint(conn: Connection) -> str:
    """Changes when somebody begins or ceases to wait, comes, goes, or takes a call."""
    cursor = await conn.execute(
        "select md5(coalesce(string_agg(one, ' ' order by one), '')) as digest from ("
        " select concat(c.id, c.state, c.line, c.answered_by, count(l.joined_at)) as one"
        " from calls c left join legs l on l.call_id = c.id where c.state in ('setting_up', 'live')"
        " group by c.id union all select user_id::text || since::text from availability"
        " union all select call_id::text || state from wrap_ups where state <> 'done') told"
    )
    row = await cursor.fetchone()
    assert row is not None
    return str(row["digest"])
