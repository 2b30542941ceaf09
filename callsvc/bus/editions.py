"""Editions over the broker: the web process keeps there what is in force, each node follows it and says what it goes by.

    follow(resolve, node, take, status)      a node's task
    spread(resolve, wanted, poked, heard)    a web process's task

Several web processes may spread: each looks into the one database before it says anything, so they come to the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import aiomqtt

from callsvc import logs
from callsvc.bus import edition
from callsvc.bus.address import Resolve
from callsvc.bus.connection import heeding, keep_connected
from callsvc.bus.edition import Standing
from callsvc.errors import UsageError

LOOK_EVERY_S: Final = 5.0
GOODBYE_S: Final = 1.0
PAUSE_S: Final = 1.0
"""The least time between two rounds of a web process, should two of them not agree."""
_log = logs.get("bus")

Take = Callable[[bytes], None]
Wanted = Callable[[], Awaitable[Mapping[str, bytes]]]
Heard = Callable[[str, Mapping[str, Standing] | None], None]


async def follow(
    resolve: Resolve,
    node: str,
    take: Take,
    status: Callable[[], Mapping[str, Standing]],
    *,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Hand each edition to `take`, and say what the node goes by whenever that changes. Runs until cancelled.

    `take` and `status` are called in threads of their own: reading and keeping a text holds up no call.
    """
    topic = edition.node_topic(node)
    gone = aiomqtt.Will(topic, b"", qos=1, retain=True)

    async def use(connection: aiomqtt.Client) -> None:
        changed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_say(connection, changed))
                await heeding(connection.subscribe(edition.TOPIC, qos=1))
                async for message in connection.messages:
                    await asyncio.to_thread(take, _bytes(message.payload))
                    changed.set()
        except asyncio.CancelledError:
            with suppress(aiomqtt.MqttError, OSError, TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await connection.publish(topic, b"", qos=1, retain=True)
            raise

    async def _say(connection: aiomqtt.Client, changed: asyncio.Event) -> None:
        said = b""
        while True:
            changed.clear()
            now = edition.dump_status(node, await asyncio.to_thread(status))
            if now != said:
                await heeding(connection.publish(topic, now, qos=1, retain=True))
                said = now
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_s):
                    await changed.wait()

    await keep_connected(resolve, f"in-force-{node}", use, will=gone)


async def spread(
    resolve: Resolve,
    wanted: Wanted,
    poked: asyncio.Event,
    heard: Heard,
    *,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Keep at the broker what `wanted` gives, by kind; tell `heard` what each node says, and None when one is gone.

    Looks again when `poked` and whenever the broker holds something else. Runs until cancelled.
    """

    async def use(connection: aiomqtt.Client) -> None:
        there: dict[str, bytes] = {}
        for topic in (edition.TOPIC, edition.NODES):
            await heeding(connection.subscribe(topic, qos=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(_keep(connection, there))
            async for message in connection.messages:
                topic, payload = str(message.topic), _bytes(message.payload)
                if node := edition.named(topic):
                    _hear(node, payload)
                elif there.get(topic) != payload:
                    there[topic] = payload
                    poked.set()

    async def _keep(connection: aiomqtt.Client, there: dict[str, bytes]) -> None:
        while True:
            poked.clear()
            for kind, payload in (await wanted()).items():
                topic = edition.topic(kind)
                if there.get(topic) != payload:
                    there[topic] = payload
                    await heeding(connection.publish(topic, payload, qos=1, retain=True))
                    _log.info("edition_spread", kind=kind)
            await asyncio.sleep(min(PAUSE_S, look_every_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_s):
                    await poked.wait()

    def _hear(node: str, payload: bytes) -> None:
        try:
            heard(node, edition.load_status(payload) if payload else None)
        except UsageError:
            _log.warning("status_unreadable", node=node)

    await keep_connected(resolve, "in-force", use)


def _bytes(payload: object) -> bytes:
    return bytes(payload) if isinstance(payload, bytes | bytearray) else b""
