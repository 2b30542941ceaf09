"""When the operator typed during a call, as its node told it: each keystroke's time and its level, never its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from callsvc.store import calls
from callsvc.store.database import Connection

Stroke = tuple[int, int]
"""Milliseconds on the call's clock, and the loudest 8 ms at the microphone in dBFS."""


async def add(conn: Connection, call_id: UUID, strokes: Sequence[Stroke], *, at: datetime) -> None:
    """Keep those of one event; none at all says that they are told for this call."""
    await calls.ensure(conn, call_id, at=at)
    await conn.execute(
        "insert into call_typing (call_id, at_ms, level_db) values (%s, %s, %s)",
        [call_id, [at_ms for at_ms, _ in strokes], [level_db for _, level_db in strokes]],
    )


async def of_call(conn: Connection, call_id: UUID) -> list[Stroke] | None:
    """In the order of the call; None where nobody told."""
    cursor = await conn.execute("select at_ms, level_db from call_typing where call_id = %s", [call_id])
    rows = await cursor.fetchall()
    if not rows:
        return None
    return sorted(one for row in rows for one in zip(row["at_ms"], row["level_db"], strict=True))
