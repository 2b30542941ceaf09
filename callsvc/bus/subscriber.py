"""Hears the events of all nodes and acknowledges what has been committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiomqtt

from callsvc import logs
from callsvc.bus import envelope
from callsvc.bus.address import Resolve
from callsvc.bus.connection import heeding, keep_connected
from callsvc.bus.envelope import Message
from callsvc.errors import UsageError


@dataclass(frozen=True, slots=True)
class Ack:
    """All events of `node` up to `seq` are committed, of those in this `outbox`."""

    node: str
    seq: int
    outbox: str = ""


Take = Callable[[Message], Awaitable[Ack | None]]


async def subscribe(resolve: Resolve, take: Take) -> None:
    """Hand each event to `take` and send the acknowledgement that it returns, if any. Runs until cancelled.

    Events come again until they are acknowledged, out of order after a loss, and from several nodes.
    """
    log = logs.get("bus")

    async def use(connection: aiomqtt.Client) -> None:
        await heeding(connection.subscribe(envelope.TOPICS, qos=1))
        async for received in connection.messages:
            try:
                message = envelope.load(received.payload)
            except UsageError:
                log.warning("event_unreadable")
                continue
            if ack := await take(message):
                topic, payload = envelope.ack_topic(ack.node), envelope.dump_ack(ack.seq, ack.outbox)
                await heeding(connection.publish(topic, payload, qos=1))

    await keep_connected(resolve, "events", use)
