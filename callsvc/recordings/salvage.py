"""Seals what a recording left behind when it went on in another spool.

Where it lies, once its disk can be written again. Where its directory is gone, from the file that is still open, beside
the recording that continues it. What this run cannot do, the next start does for all that has a name.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from callsvc import logs
from callsvc.bus import EventSink
from callsvc.clock import Clock
from callsvc.errors import CallsvcError
from callsvc.recordings.durable import sync_directory, write_whole
from callsvc.recordings.head import dump_key
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import HEAD, KEY, MASK, SEGMENTS
from callsvc.recordings.notices import sealed
from callsvc.recordings.opening import directory_for
from callsvc.recordings.recovery import clear, seal_orphan
from callsvc.recordings.spools import Spools
from callsvc.recordings.writing import Left

EVERY_S: Final = 10.0


class Salvage:
    """A thread of its own: sealing reads a whole recording, and no call should wait for that."""

    def __init__(self, spools: Spools, keys: KeyRing, clock: Clock, sink: EventSink) -> None:
        self._spools = spools
        self._keys = keys
        self._clock = clock
        self._sink = sink
        self._waiting: list[Left] = []
        self._changed = threading.Event()
        self._stopping = False
        self._log = logs.get("recorder")
        self.thread = threading.Thread(target=self._run, name="salvage", daemon=True)

    def take(self, left: Left) -> None:
        """See to it that this gets its seal. Any thread."""
        self._waiting.append(left)
        self._changed.set()

    def stop(self) -> None:
        self._stopping = True
        self._changed.set()

    def _run(self) -> None:
        while not self._stopping or self._changed.is_set():
            self._changed.wait(EVERY_S if self._waiting else None)
            self._changed.clear()
            for left in list(self._waiting):
                self._attempt(left)

    def _attempt(self, left: Left) -> None:
        call = str(left.opening.head.call)
        try:
            self._seal(left)
        except (OSError, CallsvcError) as error:
            self._log.warning("left_behind_not_sealed", call=call, kind=type(error).__name__)
            return
        self._waiting.remove(left)
        left.begun.file.close()

    def _seal(self, left: Left) -> None:
        directory, file = left.begun.directory, left.begun.file
        try:
            file.check_name()
        except (FileNotFoundError, NotADirectoryError):
            if not file.n:
                return
            directory = self._copy(left)
        if not file.n:
            clear(directory)
            return
        manifest = seal_orphan(directory, self._keys, self._clock)
        self._log.warning("left_behind_sealed", call=manifest.call, records=manifest.records)
        self._sink.emit(sealed(manifest, left.opening.head.continues))

    def _copy(self, left: Left) -> Path:
        """Its files once more, in a spool that takes them."""
        raw = left.opening.head.dump()
        trouble = OSError("there is no spool")
        for spool in self._spools:
            try:
                directory = directory_for(spool, str(left.opening.head.call), raw)
                write_whole(directory / KEY, dump_key(left.wrapped))
                if left.opening.mask is not None:
                    write_whole(directory / MASK, left.opening.mask.document)
                left.begun.file.copy(directory / SEGMENTS)
                write_whole(directory / HEAD, raw)
                sync_directory(spool)
            except OSError as error:
                trouble = error
            else:
                return directory
        raise trouble
