"""Two nodes that were given one name by mistake: what the one tells does not count as told by the other."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from callsvc.bus import Ack
from callsvc.bus.envelope import Message
from callsvc.clock import FixedClock
from callsvc.events import Consumer
from callsvc.store import Database, calls, nodes, standing

pytestmark = pytest.mark.call

NODE = "node-1"
AT = "2026-01-01T12:00:00.000Z"


def message(
    seq: int, kind: str, fields: dict[str, Any], *, call: UUID, prev: int, outbox: str = ""
) -> Message:
    return Message(NODE, seq, prev, 0, AT, call, kind, fields, outbox)


async def test_two_nodes_of_one_name_lose_nothing_and_the_second_waits_until_the_first_is_silent(
    database: Database,
) -> None:
    clock = FixedClock()
    consumer = Consumer(database, clock=clock)
    first, second = uuid4(), uuid4()
    started = {"profile": "report"}

    # Numbered by the time of day at which each was started: one is always ahead of the other.
    assert await consumer.take(message(900, "call.started", started, call=first, prev=0, outbox="aa")) == Ack(
        NODE, 900, "aa"
    )
    of_second = message(500, "call.started", started, call=second, prev=0, outbox="bb")
    assert await consumer.take(of_second) is None
    async with database.transaction() as conn:
        (node,) = await standing.nodes(conn)
    assert (node.node, node.twin_at) == (NODE, clock.utc_now())

    clock.advance(nodes.TWIN.total_seconds() + 1)
    assert await consumer.take(of_second) == Ack(NODE, 500, "bb")
    async with database.transaction() as conn:
        assert (await calls.get(conn, second)).state == "live"
    # What the first has told stays told, though the second came later.
    again = message(900, "call.started", started, call=first, prev=0, outbox="aa")
    assert await consumer.take(again) == Ack(NODE, 900, "aa")


async def test_a_node_of_an_earlier_version_goes_on_under_its_numbers(database: Database) -> None:
    consumer, call = Consumer(database), uuid4()
    assert await consumer.take(message(7, "call.started", {"profile": "report"}, call=call, prev=0))
    ended = {"cause": "hangup", "length_ms": 1}
    assert await consumer.take(message(7, "call.ended", ended, call=call, prev=0, outbox="aa")) == Ack(
        NODE, 7, "aa"
    )
    assert await consumer.take(message(9, "call.ended", ended, call=call, prev=7, outbox="aa")) == Ack(
        NODE, 9, "aa"
    )
