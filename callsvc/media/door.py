"""The node's HTTP door: nobody who only stands in it keeps others out.

A supervisor that gets no answer from /healthz ends the node and all its calls, so idle connections are bounded: one that
has sent no whole request in time is closed, and when there are too many, an idle one makes room for whoever comes.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

REQUEST_S = 10.0
"""Time for a client's first whole request head; after the first answer, uvicorn's own patience holds."""
MAX_CONNECTIONS = 200


class Door(H11Protocol):
    """uvicorn's protocol with an end to its patience."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(REQUEST_S, self._close_if_idle)
        if len(self.connections) > MAX_CONNECTIONS:
            others = (one for one in self.connections if one is not self and isinstance(one, Door))
            idle = next((one for one in others if one.idle), None)
            (idle or self).transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience:
            self._patience.cancel()
        super().connection_lost(exc)

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        # uvicorn says that there always is one; before the first request there is none.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _close_if_idle(self) -> None:
        if self.idle:
            self.transport.close()
