"""What was done during a call, as its node told it: masks, markers, holds, announcements, listening back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.store import calls
from callsvc.store.database import Connection


@dataclass(frozen=True, slots=True)
class CallNote:
    """One thing that was done, on the call's own clock. `what` holds words and figures; nothing that a person wrote."""

    call_id: UUID
    at_ms: int
    note: str
    what: dict[str, Any]


async def add(
    conn: Connection, call_id: UUID, note: str, at_ms: int, what: dict[str, Any], *, at: datetime
) -> None:
    await calls.ensure(conn, call_id, at=at)
    await conn.execute(
        "insert into call_notes (call_id, at_ms, note, what) values (%s, %s, %s, %s)",
        [call_id, at_ms, note, Jsonb(what)],
    )


async def of_call(conn: Connection, call_id: UUID) -> list[CallNote]:
    """In the order of the call."""
    async with conn.cursor(row_factory=class_row(CallNote)) as cursor:
        await cursor.execute(
            "select call_id, at_ms, note, what from call_notes where call_id = %s order by at_ms, id",
            [call_id],
        )
        return await cursor.fetchall()
