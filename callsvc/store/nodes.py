"""How far each media node's events have come into this database."""

from __future__ import annotations

from datetime import datetime

from callsvc.store.database import Connection


async def advance(conn: Connection, node: str, seq: int, *, at: datetime) -> bool:
    """Take event number `seq` of `node`, in the transaction that stores what it says.

    False when it was taken before: then the caller changes nothing. The row stays locked until the transaction ends,
    so two consumers never take the same event.
    """
    cursor = await conn.execute(
        "insert into node_progress (node, seq, at) values (%s, %s, %s)"
        " on conflict (node) do update set seq = excluded.seq, at = excluded.at"
        " where node_progress.seq < excluded.seq returning seq",
        [node, seq, at],
    )
    return await cursor.fetchone() is not None


async def progress(conn: Connection, node: str) -> int:
    """The highest event taken from `node`; 0 before the first."""
    cursor = await conn.execute("select seq from node_progress where node = %s", [node])
    row = await cursor.fetchone()
    return 0 if row is None else int(row["seq"])
