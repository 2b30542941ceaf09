"""A door for HTTP in which nobody who only stands keeps others out.

uvicorn waits for ever for a question that never ends and for a reader who never reads. Here a client that owes the rest
of a question is let go after `REQUEST_S`, and where too many are in, one who keeps us waiting makes room for whoever
comes: who says nothing first, then who has not ended a question, then who does not read the answer.

A client asks one question after the other. One that asks several at once is let go after the first answer, and where
there is a turnstile, one address is answered so often and no more: the media node has better things to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

REQUEST_S = 10.0
"""Time for a client's first whole question; for the rest of a later one, up to twice as long."""
_QUESTION = b" HTTP/1.1\r\n"
"""The end of the line that each question begins with."""


class Turnstile:
    """How many questions an address may still ask: `rate` a second, and `burst` at once."""

    MOST_ADDRESSES = 1000

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def lets_in(self, address: str, now_s: float) -> bool:
        left, at = self._left.pop(address, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at) * self._rate)
        allowed = left >= 1
        self._left[address] = (left - allowed, now_s)
        if len(self._left) > self.MOST_ADDRESSES:
            self._left.popitem(last=False)
        return allowed


class Door(H11Protocol):
    """uvicorn's protocol with an end to its patience."""

    most: ClassVar[int] = 200
    """Connections at once."""
    turnstile: ClassVar[Turnstile | None] = None

    _patience: asyncio.TimerHandle | None = None
    _owed: RequestResponseCycle | None = None
    _owing: bool = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(REQUEST_S, self._look)
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience:
            self._patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.idle and not self._lets_in():
            self.transport.abort()
            return
        super().data_received(data)

    def on_response_complete(self) -> None:
        # Whoever has read an answer to its last byte may ask the next question before we know that it was the last.
        waiting = self.conn.trailing_data[0] if self.conn.their_state is h11.DONE else b""
        if waiting.count(_QUESTION) > 1 or (waiting and not self._lets_in()):
            self.transport.close()
        super().on_response_complete()

    def _lets_in(self) -> bool:
        address = self.client[0] if self.client else ""
        return self.turnstile is None or self.turnstile.lets_in(address, self.loop.time())

    @property
    def idle(self) -> bool:
        """Whether no question is being answered."""
        # uvicorn says that there always is one; before the first question there is none.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @property
    def owes(self) -> bool:
        """Whether the client has not ended a question: it said nothing yet, or a part of it."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return True
        if cycle.response_complete:
            # The body of one that was refused before it had come, or the beginning of the next.
            return self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])
        return bool(cycle.more_body)

    @property
    def unread(self) -> bool:
        """Whether the answer waits for the client to read it."""
        return bool(self.flow.write_paused)

    def _make_room(self) -> None:
        others = [one for one in self.connections if one is not self and isinstance(one, Door)]
        kinds: list[Callable[[Door], bool]] = [
            lambda one: one.idle,
            lambda one: one.owes,
            lambda one: one.unread,
        ]
        goes = next((one for kind in kinds for one in others if kind(one)), self)
        # What a reader does not take is not waited for, as `close` would.
        goes.transport.abort() if goes.unread else goes.transport.close()

    def _look(self) -> None:
        """Let go who owed the same question at the last look, and look again later."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.owes and self._owing and cycle is self._owed:
            self.transport.close()
            return
        self._owing, self._owed = self.owes, cycle
        self._patience = self.loop.call_later(REQUEST_S, self._look)


class Server(uvicorn.Server):
    """Serves an app behind a door until `should_exit`; leaves signals to the process, which knows what has to end first."""

    def __init__(
        self, app: ASGIApp, door: type[Door] = Door, *, stop_s: int = 2, behind_proxy: bool = False
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                http=door,
                ws="none",
                lifespan="off",
                server_header=False,
                proxy_headers=behind_proxy,
                timeout_graceful_shutdown=stop_s,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """An answer goes out in two pieces, head and body; held back for the first one's receipt, each costs 40 ms more."""
        for sock in sockets or ():
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().serve(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
