"""Waking the event loop from another thread: once for all calls whose sound came back from the suppressor together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from callsvc.telephony import outgoing

if TYPE_CHECKING:
    from callsvc.telephony.uplink import Uplink

_OF: WeakKeyDictionary[asyncio.AbstractEventLoop, Wakes] = WeakKeyDictionary()


class Wakes:
    """The calls of one loop whose sound came back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: deque[Uplink] = deque()
        self._awake = False
        self._holds = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Wakes:
        """The one of this loop."""
        found = _OF.get(loop)
        if found is None:
            found = _OF[loop] = cls(loop)
        return found

    def soon(self, uplink: Uplink) -> None:
        """Have its sound sent on in the loop. From any thread."""
        self._due.append(uplink)
        if not self._holds:
            self._wake()

    def hold(self, on: bool) -> None:
        """A batch comes back: wake nobody before its end. From the suppressor's thread."""
        self._holds = on
        if not on and self._due:
            self._wake()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._do)

    def _do(self) -> None:
        self._awake = False
        uplinks = [self._due.popleft() for _ in range(len(self._due))]
        outgoing.send(uplinks, self._failed)

    def _failed(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "sound could not be taken back", "exception": error})
