"""How a leg's own end found its connection while a call went on, as its node told it every ten seconds."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store import calls
from callsvc.store.database import Connection

COLUMNS = (
    "leg, at_ms, received, lost, made_up_ms, jitter_ms, buffer_ms, trip_ms, sent_lost_pct, sent_jitter_ms"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The seconds up to `at_ms` of the call's clock. Counts are of packets; None is what nobody could tell yet."""

    leg: str
    at_ms: int
    received: int
    lost: int
    made_up_ms: int
    jitter_ms: int
    buffer_ms: int
    trip_ms: int | None
    sent_lost_pct: int | None
    sent_jitter_ms: int | None


async def add(conn: Connection, call_id: UUID, seen: Seen, *, at: datetime) -> None:
    await calls.ensure(conn, call_id, at=at)
    await conn.execute(
        f"insert into leg_connections (call_id, {COLUMNS}) values (%s{', %s' * len(astuple(seen))})",
        [call_id, *astuple(seen)],
    )


async def of_call(conn: Connection, call_id: UUID) -> list[Seen]:
    """In the order of the call; none where no end of it measures, as a telephone does not."""
    async with conn.cursor(row_factory=class_row(Seen)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from leg_connections where call_id = %s order by at_ms, id", [call_id]
        )
        return await cursor.fetchall()
