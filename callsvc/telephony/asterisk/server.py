"""Where Asterisk connects to with its AudioSockets. Nobody gets in but who was announced, from where it may come from.

A connection says its id first, in 19 bytes. An id is good once, and only while somebody waits for it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from callsvc import logs
from callsvc.clock import Clock
from callsvc.errors import PortTaken
from callsvc.telephony.asterisk import metrics
from callsvc.telephony.asterisk.connection import AudioSocketConnection
from callsvc.telephony.asterisk.frames import Kind, Message, Reader

INTRODUCTION_S = 5.0
"""Time for a connection to say its id."""
MAX_STRANGERS = 100
"""Connections that have not said their id yet."""
ID_BYTES = 16
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
log = logs.get("asterisk")


def networks(peers: Sequence[str]) -> list[Network]:
    """Addresses and networks as the settings write them; raises `ValueError` for what is neither."""
    return [ipaddress.ip_network(peer, strict=False) for peer in peers]


class AudioSocketServer:
    """Listens for AudioSockets. Use `start` and `close`."""

    def __init__(self, peers: Sequence[str], kind: Kind, clock: Clock) -> None:
        self.clock = clock
        self.kind = kind
        self.strangers: set[Wire] = set()
        self._peers = networks(peers)
        self._expected: dict[UUID, asyncio.Future[AudioSocketConnection]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and say on which port. Raises `PortTaken`."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Wire(self), host, port)
        except OSError:
            raise PortTaken(
                "{host}:{port} cannot be listened on for AudioSocket.", host=host, port=port
            ) from None
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Listen no more; legs that are in a call stay until the call closes them."""
        if self._server:
            self._server.close()
        for stranger in list(self.strangers):
            stranger.refuse("stopping")
        for waiting in self._expected.values():
            waiting.cancel()

    def expect(self, identity: UUID) -> asyncio.Future[AudioSocketConnection]:
        """The connection that says this id, once it has. Cancel the future, and the id is good no more."""
        waiting: asyncio.Future[AudioSocketConnection] = asyncio.get_running_loop().create_future()
        self._expected[identity] = waiting
        waiting.add_done_callback(lambda _: self._expected.pop(identity, None))
        return waiting

    def may(self, address: str) -> bool:
        """Whether this is one of the configured peers."""
        one = ipaddress.ip_address(address.partition("%")[0])
        return any(one in peer for peer in self._peers if peer.version == one.version)

    def introduced(self, identity: UUID, transport: asyncio.Transport) -> AudioSocketConnection | None:
        """Somebody said this id."""
        waiting = self._expected.get(identity)
        if waiting is None or waiting.done():
            return None
        connection = AudioSocketConnection(transport, self.kind, self.clock)
        waiting.set_result(connection)
        return connection


class Wire(asyncio.Protocol):
    """One TCP connection, before and after it said who it is."""

    def __init__(self, server: AudioSocketServer) -> None:
        self._server = server
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._connection: AudioSocketConnection | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._server.may(transport.get_extra_info("peername")[0]):
            self.refuse("stranger")
        elif len(self._server.strangers) >= MAX_STRANGERS:
            self.refuse("crowd")
        else:
            self._server.strangers.add(self)
            self._patience = asyncio.get_running_loop().call_later(INTRODUCTION_S, self.refuse, "silent")

    def data_received(self, data: bytes) -> None:
        messages = list(self._reader.feed(data))
        if self._connection is None and messages:
            messages = self._introduce(messages)
        if self._connection is not None and messages:
            self._connection.take(messages)

    def _introduce(self, messages: list[Message]) -> list[Message]:
        first, *rest = messages
        if first.kind != Kind.ID or len(first.payload) != ID_BYTES or self._transport is None:
            self.refuse("no_id")
            return []
        if self._transport.is_closing():
            return []
        self._connection = self._server.introduced(UUID(bytes=first.payload), self._transport)
        if self._connection is None:
            self.refuse("unknown")
            return []
        self._settle()
        return rest

    def _settle(self) -> None:
        self._server.strangers.discard(self)
        if self._patience:
            self._patience.cancel()

    def refuse(self, why: str) -> None:
        """Close a connection that does not belong to a call."""
        self._settle()
        metrics.REFUSED.labels(why).inc()
        log.warning("audiosocket_refused", why=why)
        if self._transport:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        if self._connection:
            self._connection.gone("vanished")
