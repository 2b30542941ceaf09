"""Orders to keep: a call or a case is held, with a reason, until the order is lifted. And when cases were closed.

Who decides on holds need not know the calls: an order names a case or a call, and neither shows what is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import Conflict, NotFound
from callsvc.ids import new_id
from callsvc.store import Connection, calls


@dataclass(frozen=True, slots=True)
class Hold:
    """An order. `calls`: how many it keeps now."""

    id: UUID
    call_id: UUID | None
    case_number: str | None
    reason: str
    by_id: UUID
    at: datetime
    lifted_at: datetime | None
    lifted_by: UUID | None
    lifted_why: str
    calls: int


@dataclass(frozen=True, slots=True)
class Closing:
    """A case, and the day that it was closed."""

    case_number: str
    closed_on: date
    by_id: UUID
    at: datetime


_HOLD = (
    "select h.id, h.call_id, h.case_number, h.reason, h.by_id, h.at, h.lifted_at, h.lifted_by, h.lifted_why,"
    " case when h.call_id is not null then 1 else"
    " (select count(*) from wrap_ups w where w.case_number = h.case_number) end as calls from holds h"
)


async def listing(conn: Connection, *, limit: int = 200) -> list[Hold]:
    """Those in force first, the newest first."""
    async with conn.cursor(row_factory=class_row(Hold)) as cursor:
        await cursor.execute(
            f"{_HOLD} order by h.lifted_at is not null, coalesce(h.lifted_at, h.at) desc, h.id limit %s",
            [limit],
        )
        return await cursor.fetchall()


async def get(conn: Connection, hold_id: UUID) -> Hold:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Hold)) as cursor:
        await cursor.execute(f"{_HOLD} where h.id = %s", [hold_id])
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such hold.")


async def place(
    conn: Connection, *, call: UUID | None, case: str | None, reason: str, by: UUID, at: datetime
) -> UUID:
    """Hold a call, or every call that is or will be written up under a case. Raises `NotFound` for no such call."""
    if call is not None:
        await calls.get(conn, call)
    hold_id = new_id()
    await conn.execute(
        "insert into holds (id, call_id, case_number, reason, by_id, at) values (%s, %s, %s, %s, %s, %s)",
        [hold_id, call, case, reason, by, at],
    )
    return hold_id


async def lift(conn: Connection, hold_id: UUID, *, why: str, by: UUID, at: datetime) -> Hold:
    """The order ends; that it was is kept. Raises `NotFound`, `Conflict` for one that was lifted before."""
    cursor = await conn.execute(
        "update holds set lifted_at = %s, lifted_by = %s, lifted_why = %s where id = %s and lifted_at is null",
        [at, by, why, hold_id],
    )
    found = await get(conn, hold_id)
    if cursor.rowcount == 0:
        raise Conflict("The hold was lifted before.")
    return found


async def close_case(conn: Connection, number: str, *, on: date, by: UUID, at: datetime) -> None:
    """The case was closed on this day; said again, the later word counts."""
    await conn.execute(
        "insert into case_closings (case_number, closed_on, by_id, at) values (%s, %s, %s, %s)"
        " on conflict (case_number) do update set closed_on = excluded.closed_on, by_id = excluded.by_id,"
        " at = excluded.at",
        [number, on, by, at],
    )


async def reopen_case(conn: Connection, number: str) -> None:
    """The case is open after all. Raises `NotFound`."""
    cursor = await conn.execute("delete from case_closings where case_number = %s", [number])
    if cursor.rowcount == 0:
        raise NotFound("The case is not closed.")


async def closings(conn: Connection, *, limit: int = 200) -> list[Closing]:
    """Newest word first."""
    async with conn.cursor(row_factory=class_row(Closing)) as cursor:
        await cursor.execute(
            "select case_number, closed_on, by_id, at from case_closings order by at desc, case_number limit %s",
            [limit],
        )
        return await cursor.fetchall()
