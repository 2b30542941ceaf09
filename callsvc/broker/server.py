"""The gate's socket, and the broker behind it."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from amqtt.adapters import ReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from callsvc import logs
from callsvc.broker.gate import Credentials, Refused, admit
from callsvc.errors import CallsvcError, ConfigurationError, PortTaken

FIRST_PACKET_S: Final = 5.0
MAX_WAITING: Final = 100  # at the gate
MAX_CLIENTS: Final = 200


class BrokerFault(CallsvcError):
    """The broker no longer passes messages on."""


class _Reader(ReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """What was read at the gate, and then what follows."""

    def __init__(self, first: bytes, rest: asyncio.StreamReader) -> None:
        self._first = first
        self._rest = rest

    async def read(self, n: int = -1) -> bytes:
        if self._first:
            count = len(self._first) if n < 0 else n
            taken, self._first = self._first[:count], self._first[count:]
            if len(taken) == n or n < 0:
                return taken
            return taken + await self._rest.readexactly(n - len(taken))
        return await self._rest.read() if n < 0 else await self._rest.readexactly(n)

    def feed_eof(self) -> None:
        self._rest.feed_eof()


class EmbeddedBroker:
    """A broker that listens, and tells when it no longer works."""

    def __init__(self, credentials: Credentials, *, first_packet_s: float = FIRST_PACKET_S) -> None:
        self._credentials = credentials
        self._first_packet_s = first_packet_s
        self._log = logs.get("broker")
        self._waiting = 0
        self._clients = 0
        self._handlers: set[asyncio.Task[Any]] = set()
        self._broker = Broker(
            BrokerConfig(
                listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)},
                # The gate has checked the password already; anonymous would lose a client's subscriptions.
                plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
                session_expiry_interval=3600,
            )
        )

    async def start(self) -> None:
        await self._broker.start()

    async def watch(self) -> None:
        """Until the task that passes messages on has ended: then raises `BrokerFault`; the process should end."""
        await asyncio.wait([self._broker._broadcast_task])
        raise BrokerFault

    async def stop(self) -> None:
        for task in list(self._handlers):
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._broker.shutdown()

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; whatever comes in, only this connection suffers."""
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            first = await self._at_the_gate(reader, writer)
            if first is not None:
                self._clients += 1
                try:
                    await self._broker.external_connected(
                        _Reader(first, reader), StreamWriterAdapter(writer), "default"
                    )
                finally:
                    self._clients -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as error:  # whatever the library stumbles over in one client, the others go on
            self._log.warning("client_failed", error=type(error).__name__)
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _at_the_gate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        if self._waiting >= MAX_WAITING or self._clients >= MAX_CLIENTS:
            self._log.warning("client_refused", cause="too_many")
            return None
        self._waiting += 1
        try:
            async with asyncio.timeout(self._first_packet_s):
                return await admit(reader, self._credentials)
        except TimeoutError:
            self._log.info("client_refused", cause="silent")
        except Refused as refused:
            self._log.warning("client_refused", cause=refused.cause)
            writer.write(refused.answer())
            await writer.drain()
        finally:
            self._waiting -= 1
        return None


@asynccontextmanager
async def running(
    credentials: Credentials, *, host: str = "127.0.0.1", port: int, first_packet_s: float = FIRST_PACKET_S
) -> AsyncIterator[tuple[EmbeddedBroker, int]]:
    """A broker that listens, and its port. Raises `PortTaken`."""
    # Its own words are about packets of clients; what matters of them is said above.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    broker = EmbeddedBroker(credentials, first_packet_s=first_packet_s)
    try:
        server = await asyncio.start_server(broker.client, host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken("Port {port} (mqtt.port) is taken by another program.", port=port) from None
        raise ConfigurationError(
            "Nothing can listen on port {port} (mqtt.port): {why}.", port=port, why=error
        ) from None
    await broker.start()
    try:
        yield broker, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await broker.stop()
        await server.wait_closed()
