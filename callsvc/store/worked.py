"""Which models have done what of late, by what the calls themselves tell."""

from __future__ import annotations

from datetime import datetime

from callsvc.store.database import Connection

Row = tuple[str, int, datetime]
"""Model, calls, the last of them."""


async def text(conn: Connection, since: datetime) -> list[Row]:
    """Models that have written transcripts since then, the latest first."""
    return await _rows(
        conn,
        "select model, count(*) as calls, max(finished_at) as at from transcripts"
        " where finished_at >= %s and model is not null group by model order by at desc",
        since,
    )


async def quiet(conn: Connection, since: datetime) -> list[Row]:
    """Suppressors that calls have told of since then, the latest first."""
    return await _rows(
        conn,
        "select model, count(*) as calls, max(at) as at from proofs where at >= %s group by model order by 3 desc",
        since,
    )


async def _rows(conn: Connection, question: str, since: datetime) -> list[Row]:
    cursor = await conn.execute(question, [since])
    return [(row["model"], row["calls"], row["at"]) for row in await cursor.fetchall()]
