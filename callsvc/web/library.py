"""The recordings that are being read: opened once, wherever they lie, and kept while somebody reads on."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from callsvc.config import Settings
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.joined import open_joined
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.reader import Recording
from callsvc.store import Database, recordings
from callsvc.types import RecordingState
from callsvc.web.problems import Problem

KEPT: Final = 16


class Library:
    """Opens the recording of a call; from the spool, or from the archive when it has gone there."""

    def __init__(self, settings: Settings, database: Database, keys: KeyRing) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._open: OrderedDict[tuple[UUID, str | None], Recording] = OrderedDict()

    async def open(self, call_id: UUID) -> Recording:
        """The sealed recording of a call. Raises `Problem` when there is none to be heard."""
        async with self._database.transaction() as conn:
            found = await recordings.of_call(conn, call_id)
        if found is None or found.state not in (RecordingState.SEALED, RecordingState.ARCHIVED):
            raise Problem("no_sound")
        key = (found.id, found.location)
        if (kept := self._open.get(key)) is not None:
            self._open.move_to_end(key)
            return kept
        try:
            opened = await run_in_threadpool(self._read, call_id, found)
        except NoRecording:
            raise Problem("no_sound") from None
        self._open[key] = opened
        while len(self._open) > KEPT:
            self._open.popitem(last=False)
        return opened

    def _read(self, call_id: UUID, found: recordings.Recording) -> Recording:
        return open_joined(
            self._settings,
            self._keys,
            call=str(call_id),
            recording=str(found.id),
            location=found.location,
        )
