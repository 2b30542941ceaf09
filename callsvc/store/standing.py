"""How things stand, for those who look after the service: nodes that were heard, what waits for a stamp, what is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store.database import Connection


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A media node: when the last of its events came, how many calls it has now, and when another of its name was heard."""

    node: str
    heard_at: datetime
    live: int
    twin_at: datetime | None


async def nodes(conn: Connection) -> list[NodeRow]:
    """Every node that was ever heard of, by name."""
    async with conn.cursor(row_factory=class_row(NodeRow)) as cursor:
        await cursor.execute(
            "select p.node, max(p.at) as heard_at, max(p.twin_at) as twin_at,"
            " (select count(*) from calls c where c.state = 'live' and c.node = p.node) as live"
            " from node_progress p group by p.node order by p.node"
        )
        return await cursor.fetchall()


async def unstamped(conn: Connection, before: datetime) -> tuple[int, datetime | None]:
    """Recordings that were archived before then and have no time stamp: how many, and since when the oldest waits."""
    cursor = await conn.execute(
        "select count(*) as n, min(archived_at) as oldest from recordings"
        " where state = 'archived' and stamped_at is null and archived_at < %s",
        [before],
    )
    row = await cursor.fetchone()
    return (0, None) if row is None else (int(row["n"]), row["oldest"])


async def captions_behind(conn: Connection, since: datetime) -> int:
    """Calls whose captions have fallen behind since then."""
    cursor = await conn.execute(
        "select count(*) as n from caption_states where state = 'behind' and at >= %s", [since]
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row["n"])


async def held(conn: Connection, call_id: UUID) -> bool:
    """Whether somebody has ordered that the call, or its case, be kept."""
    cursor = await conn.execute(
        "select 1 from holds where lifted_at is null and (call_id = %(call)s"
        " or case_number = (select case_number from wrap_ups where call_id = %(call)s)) limit 1",
        {"call": call_id},
    )
    return await cursor.fetchone() is not None
