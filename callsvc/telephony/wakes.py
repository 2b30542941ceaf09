"""Waking the event loop from another thread: once for all calls whose sound came back from the suppressor together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

Work = Callable[[], None]
_OF: WeakKeyDictionary[asyncio.AbstractEventLoop, Wakes] = WeakKeyDictionary()


class Wakes:
    """What other threads want done in one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: deque[Work] = deque()
        self._awake = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Wakes:
        """The one of this loop."""
        found = _OF.get(loop)
        if found is None:
            found = _OF[loop] = cls(loop)
        return found

    def soon(self, work: Work) -> None:
        """Have this done in the loop. From any thread."""
        self._due.append(work)
        if not self._awake:
            self._awake = True
            self._loop.call_soon_threadsafe(self._do)

    def _do(self) -> None:
        self._awake = False
        while self._due:
            work = self._due.popleft()
            try:
                work()
            except Exception as error:
                # One call's fault is not the next one's.
                self._loop.call_exception_handler(
                    {"message": "sound could not be taken back", "exception": error}
                )
