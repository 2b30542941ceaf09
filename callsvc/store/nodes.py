"""How far each media node's events have come into this database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from callsvc.store.database import Connection

TWIN: Final = timedelta(minutes=1)
"""A node that lost its directory comes back with another outbox: after this long without a word of the first."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`seq`: the highest event taken from this outbox of a node, 0 before the first. `twin`: another node of the same
    name has just been heard."""

    seq: int
    twin: bool


async def advance(conn: Connection, node: str, seq: int, *, outbox: str = "", at: datetime) -> bool:
    """Take event number `seq` of `node`, in the transaction that stores what it says.

    False when it was taken before: then the caller changes nothing. The row stays locked until the transaction ends,
    so two consumers never take the same event.
    """
    cursor = await conn.execute(
        "insert into node_progress (node, seq, at, outbox) values (%s, %s, %s, %s)"
        " on conflict (node, outbox) do update set seq = excluded.seq, at = excluded.at"
        " where node_progress.seq < excluded.seq returning seq",
        [node, seq, at, outbox],
    )
    return await cursor.fetchone() is not None


async def progress(conn: Connection, node: str, *, outbox: str = "", at: datetime) -> Progress:
    """How far the outbox has come; what its node told before outboxes had names counts as its own."""
    cursor = await conn.execute(
        "select coalesce(max(seq) filter (where outbox in ('', %(outbox)s)), 0) as seq,"
        " coalesce(bool_or(outbox not in ('', %(outbox)s) and at > %(since)s), false) as twin"
        " from node_progress where node = %(node)s",
        {"node": node, "outbox": outbox, "since": at - TWIN},
    )
    row = await cursor.fetchone()
    assert row is not None
    return Progress(int(row["seq"]), bool(outbox) and bool(row["twin"]))


async def note_twin(conn: Connection, node: str, *, outbox: str, at: datetime) -> None:
    """Write down that this outbox was asked to wait for another of the same name."""
    await conn.execute(
        "update node_progress set twin_at = %s where node = %s and outbox <> %s", [at, node, outbox]
    )
