"""The directories that recordings are made in: the spool, and a second one on another disk if there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from callsvc import logs
from callsvc.bus import EventSink
from callsvc.clock import Clock
from callsvc.recordings.durable import sync_directory
from callsvc.recordings.figures import FREE
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import MANIFEST
from callsvc.recordings.manifest import Manifest
from callsvc.recordings.recovery import LOCK, SpoolLock, recover


class Spools:
    """The first is used while it has room; a recording that cannot begin there begins in the next."""

    def __init__(self, first: Path, second: Path | None = None, *, min_free: int = 0) -> None:
        self._all = [first, *([second] if second else [])]
        self._min_free = min_free
        self._locks: list[SpoolLock] = []
        self._log = logs.get("recorder")
        self._low = dict.fromkeys(self._all, False)

    @property
    def low(self) -> bool:
        """Whether one of them has less room than it should, or is gone."""
        return any(self._low.values())

    def start(self, keys: KeyRing, clock: Clock, sink: EventSink) -> list[Manifest]:
        """Take them, and seal what an earlier run left open. Without the first a second one is enough.

        Raises `DataDirBusy` when another node has one, and `OSError` when none can be used.
        """
        sealed: list[Manifest] = []
        for spool in self._all:
            try:
                spool.mkdir(mode=0o700, parents=True, exist_ok=True)
                with suppress(PermissionError):  # somebody else's directory, whose names are theirs to keep
                    sync_directory(spool.absolute().parent)
                self._locks.append(SpoolLock(spool))
                sealed += recover(spool, keys, clock, sink)
            except OSError as error:
                if spool == self._all[-1] and not self._locks:
                    raise
                self._low[spool] = True
                self._log.error("spool_unusable", spool=self._all.index(spool) + 1, errno=error.errno)
        return sealed

    def release(self) -> None:
        for lock in self._locks:
            lock.release()
        self._locks = []

    def __iter__(self) -> Iterator[Path]:
        """In the order in which a new recording should try them."""
        return iter(sorted(self._all, key=lambda spool: self._low[spool]))

    def look(self) -> None:
        """Measure the room that is left."""
        for number, spool in enumerate(self._all, start=1):
            try:
                # Without the lock that we took, another disk lies there, or none.
                (spool / LOCK).stat()
                free = shutil.disk_usage(spool).free
            except OSError:
                free = -1
            FREE.labels(str(number)).set(max(0, free))
            low = free < self._min_free or free < 0
            if low != self._low[spool]:
                self._low[spool] = low
                self._log.warning("spool_space", spool=number, low=low)

    def sealed(self, call: str) -> bool:
        """Whether a recording of this call lies sealed in one of them."""
        return any((spool / call / MANIFEST).exists() for spool in self._all)
