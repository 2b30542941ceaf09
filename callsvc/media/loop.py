"""The node's event loop: what comes within a millisecond is taken together.

A process that is woken pays for it: some 100 microseconds until its code is in the caches again, which is more than a packet
takes. A node with many calls would be woken for each packet. So when the last look at the sockets was less than a
millisecond ago, the rest of it is slept through first. A node with little to do is woken as before.
"""

from __future__ import annotations

import asyncio
import selectors
import time

GATHER_S = 0.001


class Gathering(selectors.EpollSelector):
    """Looks at the sockets once a millisecond at most, unless there is work that waits for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            rest = self._looked + GATHER_S - time.monotonic()
            if timeout is not None:
                rest = min(rest, timeout)
                timeout -= max(0.0, rest)
            if rest > 0:
                self.rest(rest)
        found = super().select(timeout)
        self._looked = time.monotonic()
        return found

    def rest(self, seconds: float) -> None:
        """Let more come."""
        time.sleep(seconds)  # noqa: TID251  the loop itself: nothing in it can happen meanwhile


def new() -> asyncio.AbstractEventLoop:
    """A loop for a media node."""
    return asyncio.SelectorEventLoop(Gathering())
