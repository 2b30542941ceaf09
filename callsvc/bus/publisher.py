"""Sends what waits in the outbox, in order, again and again until it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib

import aiomqtt

from callsvc.bus import envelope
from callsvc.bus.address import Resolve
from callsvc.bus.connection import heeding, keep_connected
from callsvc.bus.outbox import Outbox

AGAIN_S = 5.0
WINDOW = 200
"""Events under way at once; more wait for the first to be acknowledged."""
FLUSH_S = 1.0


async def publish(outbox: Outbox, resolve: Resolve, *, again_s: float = AGAIN_S) -> None:
    """Runs until cancelled. Nothing that goes wrong with the broker ends it."""
    loop = asyncio.get_running_loop()
    wake = asyncio.Event()
    outbox.listen(lambda: _wake(loop, wake))

    async def use(connection: aiomqtt.Client) -> None:
        await heeding(connection.subscribe(envelope.ack_topic(outbox.node), qos=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(_hear(connection, outbox, wake))
            group.create_task(_send(connection, outbox, wake, again_s))

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_connected(resolve, f"node-{outbox.node}", use))
        group.create_task(_flush(outbox))


def _wake(loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake.set)


async def _hear(connection: aiomqtt.Client, outbox: Outbox, wake: asyncio.Event) -> None:
    async for message in connection.messages:
        seq = envelope.load_ack(message.payload, outbox.id)
        if seq is not None and outbox.ack(seq):
            wake.set()


async def _send(connection: aiomqtt.Client, outbox: Outbox, wake: asyncio.Event, again_s: float) -> None:
    """Everything once; and from the first unacknowledged one again when no word has come for `again_s` seconds."""
    loop = asyncio.get_running_loop()
    sent = acked = outbox.acked
    heard = loop.time()
    while True:
        wake.clear()
        if outbox.acked > acked or len(outbox) == 0:
            acked, heard = outbox.acked, loop.time()
        elif loop.time() - heard >= again_s:
            sent, heard = acked, loop.time()
        for record in outbox.window(WINDOW, above=sent):
            payload = envelope.dump(record, node=outbox.node, outbox=outbox.id, acked=outbox.acked)
            await heeding(connection.publish(envelope.topic(record["call"], record["kind"]), payload, qos=1))
            sent = record["seq"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(again_s):
                await wake.wait()


async def _flush(outbox: Outbox) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        await asyncio.to_thread(outbox.flush)
