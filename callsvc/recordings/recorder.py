"""The recorder: opens what listens to a call, and writes all calls' sound from one thread of its own.

    media loop ─► taps (rings) ─► this thread: compress, encrypt, chain, write, sync ─► spool/<call>/

Nothing here can slow or end a call. A disk that is full, slow or gone raises the alarm and is tried again; what does
not fit in the rings meanwhile becomes a gap with the cause `recorder`.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from audio.taps import Tap, Track
from callsvc import logs
from callsvc.bus import EventSink
from callsvc.clock import Clock, SystemClock, isoformat
from callsvc.ids import new_id
from callsvc.recordings.cipher import key_check, new_key
from callsvc.recordings.figures import ALARM, BYTES, DROPPED, OPEN, SYNCS
from callsvc.recordings.head import Head
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.manifest import Manifest
from callsvc.recordings.notices import sealed, started
from callsvc.recordings.recovery import SpoolLock, recover
from callsvc.recordings.segment_file import Sync
from callsvc.recordings.writing import Writing
from callsvc.types import Event, EventKind

CADENCE_S: Final = 0.7
"""Sound is safe on disk this long after it was heard, and what the disk takes. One second is promised."""


_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class Condition(StrEnum):
    """What the operator's screen says of the recording."""

    RECORDING = "recording"
    DEGRADED = "degraded"
    SEALING = "sealing"
    SEALED = "sealed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """`safe_ms` is how much of the call is safe on disk; `why` names the trouble while degraded."""

    condition: Condition
    safe_ms: int = 0
    dropped_ms: int = 0
    why: str = ""


class RecordedCall:
    """A `audio.taps.CallTaps`: what one call hands its sound to."""

    def __init__(self, writing: Writing, wake: Callable[[], None], due: float) -> None:
        self.writing = writing
        self.recording = writing.head.recording
        self.due = due
        self.closing: tuple[Mapping[str, int], str] | None = None
        self.trouble = ""
        self.told_trouble = False
        self.wake = wake

    def tap(self, track: str) -> Tap:
        return self.writing.taps[track]

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        """Keep a marker, a consent, an announcement with the sound, at this time of the call."""
        self.writing.note(at_ms, content)

    def close(self, lengths: Mapping[str, int], cause: str) -> None:
        self.closing = (dict(lengths), cause)
        self.due = 0.0
        self.wake()


class Recorder:
    """A `audio.taps.TapFactory` that keeps what it hears. One per media node and spool directory."""

    def __init__(
        self,
        spool: Path,
        keys: KeyRing,
        *,
        node: str,
        sink: EventSink,
        clock: Clock | None = None,
        min_free_mb: int = 0,
        sync: Sync = os.fdatasync,
    ) -> None:
        self._spool = spool
        self._keys = keys
        self._node = node
        self._sink = sink
        self._clock = clock or SystemClock()
        self._min_free = min_free_mb << 20
        self._sync = sync
        self._calls: dict[str, RecordedCall] = {}
        self._changed = threading.Event()
        self._stopping = False
        self._lock: SpoolLock | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._log = logs.get("recorder")
        self._low = False

    def start(self) -> list[Manifest]:
        """Seal what an earlier run left open, then begin. Raises `DataDirBusy` when another node has this spool."""
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = SpoolLock(self._spool)
        orphans = recover(self._spool, self._keys, self._clock, self._sink)
        self._thread.start()
        return orphans

    def stop(self, timeout_s: float = 10.0) -> None:
        """Seal every call that was closed and end. What is still open is sealed by the next start, as a failure."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._lock is not None:
            self._lock.release()

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> RecordedCall:
        """Begin to record. Returns at once; the files are made by the recorder's thread."""
        key = new_key()
        head = Head(
            recording=new_id(),
            call=UUID(call_id),
            node=self._node,
            profile=profile,
            opened_at=isoformat(self._clock.utc_now()),
            tracks=tuple(tracks),
            key_check=key_check(key),
        )
        if call_id in self._calls:
            raise FileExistsError(f"call {call_id} is being recorded already")
        writing = Writing(self._spool, head, key, self._sync)
        call = RecordedCall(writing, self._changed.set, self._clock.monotonic())
        self._calls[call_id] = call
        OPEN.inc()
        self._changed.set()
        return call

    def state(self, call_id: str) -> RecordingStatus:
        """How the recording of a call is doing now. Cheap; any thread."""
        call = self._calls.get(call_id)
        if call is None:
            manifest = self._spool / call_id / "manifest.json"
            return RecordingStatus(Condition.SEALED if manifest.exists() else Condition.NONE)
        writing = call.writing
        dropped = max(
            tap.dropped_samples * 1000 // track.rate_hz
            for tap, track in zip(writing.taps.values(), writing.head.tracks, strict=True)
        )
        trouble = call.trouble or ("disk_low" if self._low else "")
        if trouble:
            condition = Condition.DEGRADED
        else:
            condition = Condition.SEALING if call.closing else Condition.RECORDING
        return RecordingStatus(condition, writing.safe_ms, dropped, trouble)

    def open_calls(self) -> list[str]:
        """Calls whose recording has no seal yet."""
        return list(self._calls)

    @property
    def alarm(self) -> str:
        """Why recording is not as it should be: "", "disk_low", "disk_full", "disk_error", "fault"."""
        return next(
            (c.trouble for c in list(self._calls.values()) if c.trouble), "disk_low" if self._low else ""
        )

    # The thread.

    def _run(self) -> None:
        while not (self._stopping and not any(c.closing and not c.trouble for c in self._recorded())):
            now = self._clock.monotonic()
            self._look_at_disk()
            for call in self._recorded():
                if call.due <= now:
                    self._attend(call)
            now = self._clock.monotonic()
            soonest = min((c.due for c in self._recorded()), default=now + CADENCE_S)
            self._changed.wait(max(0.0, soonest - now))
            self._changed.clear()
        for call in self._recorded():
            self._attend(call)
            call.writing.close()

    def _recorded(self) -> list[RecordedCall]:
        return list(self._calls.values())

    def _attend(self, call: RecordedCall) -> None:
        """Do what is due for one call; an error of the disk is remembered and tried again at the next turn."""
        call.due = self._clock.monotonic() + CADENCE_S
        writing = call.writing
        syncs, written, dropped = writing.syncs, writing.bytes_written, writing.dropped_samples
        try:
            if not writing.ready:
                writing.begin(self._keys)
                self._sink.emit(started(writing.head))
            if call.closing is None:
                writing.flush()
            else:
                manifest = writing.seal(*call.closing, self._keys, self._clock)
                del self._calls[str(writing.head.call)]
                OPEN.dec()
                self._sink.emit(sealed(manifest))
            self._relieved(call)
        except OSError as error:
            self._troubled(call, "disk_full" if error.errno in _FULL else "disk_error")
        except Exception as error:
            # The root of this thread: one call's fault must not end the others' recordings.
            self._log.error("recording_fault", call=str(writing.head.call), kind=type(error).__name__)
            self._troubled(call, "fault")
        SYNCS.inc(max(0, writing.syncs - syncs))
        BYTES.inc(max(0, writing.bytes_written - written))
        if writing.dropped_samples > dropped:
            DROPPED.inc(writing.dropped_samples - dropped)

    def _troubled(self, call: RecordedCall, why: str) -> None:
        call.trouble = why
        ALARM.set(1)
        if not call.told_trouble:
            call.told_trouble = True
            self._log.error("recording_in_trouble", call=str(call.writing.head.call), why=why)
            self._sink.emit(
                Event(
                    call.writing.head.call,
                    EventKind.CALL_DEGRADED,
                    {"what": "recording", "why": call.trouble},
                )
            )

    def _relieved(self, call: RecordedCall) -> None:
        if call.trouble:
            call.trouble = ""
            self._log.warning("recording_writes_again", call=str(call.writing.head.call))
        if not self.alarm:
            ALARM.set(0)

    def _look_at_disk(self) -> None:
        try:
            low = shutil.disk_usage(self._spool).free < self._min_free
        except OSError:
            low = True
        if low != self._low:
            self._low = low
            ALARM.set(1 if self.alarm else 0)
            self._log.warning("spool_space", low=low)
