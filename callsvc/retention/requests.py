"""Requests that a call be kept: from those who may open it, to those who decide on holds. What is asked for is kept meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from callsvc.errors import Conflict, NotFound
from callsvc.ids import new_id
from callsvc.retention import holds
from callsvc.store import Connection


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `granted` is None until it is answered."""

    id: UUID
    call_id: UUID
    reason: str
    by_id: UUID
    at: datetime
    answered_at: datetime | None
    granted: bool | None
    answer: str


_COLUMNS = "id, call_id, reason, by_id, at, answered_at, granted, answer"


async def ask(conn: Connection, call: UUID, *, reason: str, by: UUID, at: datetime) -> None:
    """Raises `Conflict` where one waits for its answer."""
    try:
        async with conn.transaction():
            await conn.execute(
                "insert into hold_requests (id, call_id, reason, by_id, at) values (%s, %s, %s, %s, %s)",
                [new_id(), call, reason, by, at],
            )
    except UniqueViolation:
        raise Conflict("It has been asked for already.") from None


async def waiting(conn: Connection) -> list[Request]:
    """Those that are not answered, the oldest first."""
    async with conn.cursor(row_factory=class_row(Request)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from hold_requests where answered_at is null order by at, id"
        )
        return await cursor.fetchall()


async def latest(conn: Connection, call: UUID) -> Request | None:
    async with conn.cursor(row_factory=class_row(Request)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from hold_requests where call_id = %s order by at desc, id limit 1", [call]
        )
        return await cursor.fetchone()


async def held(conn: Connection, call: UUID) -> bool:
    """Whether an order in force keeps the call, by itself or with its case."""
    cursor = await conn.execute(
        "select 1 from holds where lifted_at is null and (call_id = %(call)s"
        " or case_number = (select case_number from wrap_ups where call_id = %(call)s)) limit 1",
        {"call": call},
    )
    return await cursor.fetchone() is not None


async def answer(
    conn: Connection, request_id: UUID, *, granted: bool, words: str, by: UUID, at: datetime
) -> Request:
    """Grant it, by an order for the same reason, or refuse it. Raises `NotFound`, `Conflict` for one that was answered."""
    async with conn.cursor(row_factory=class_row(Request)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from hold_requests where id = %s for update", [request_id])
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such request.")
    if found.answered_at is not None:
        raise Conflict("The request was answered before.")
    await conn.execute(
        "update hold_requests set answered_at = %s, answered_by = %s, granted = %s, answer = %s where id = %s",
        [at, by, granted, words, request_id],
    )
    if granted:
        await holds.place(conn, call=found.call_id, case=None, reason=found.reason, by=by, at=at)
    return found
