"""The recorder: opens what listens to a call, and keeps all calls' sound with a few threads of its own.

    media loop ─► taps (rings) ─► a hand: compress, encrypt, chain, write, sync ─► spool/<call>/

Nothing here can slow or end a call. A disk that is full, slow or gone raises the alarm and is tried again; what does
not fit in the rings meanwhile becomes a gap with the cause `recorder`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from audio.taps import Track
from callsvc.bus import EventSink
from callsvc.clock import Clock, SystemClock
from callsvc.recordings.figures import ALARM, OPEN
from callsvc.recordings.hand import CADENCE_S, Hand, RecordedCall
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.manifest import Manifest
from callsvc.recordings.notices import troubled
from callsvc.recordings.opening import draw_up
from callsvc.recordings.salvage import Salvage
from callsvc.recordings.segment_file import Sync
from callsvc.recordings.spools import Spools
from callsvc.recordings.writing import Writing

HANDS: Final = 8
"""Threads that write. They mostly wait for the disk, which takes several syncs at once for the price of one."""


class Condition(StrEnum):
    """What the operator's screen says of the recording."""

    RECORDING = "recording"
    MASKED = "masked"
    DEGRADED = "degraded"
    SEALING = "sealing"
    SEALED = "sealed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """`safe_ms` is how much of the call is safe on disk, `masked_ms` how long it has been masked now; `why` names
    the trouble while degraded."""

    condition: Condition
    safe_ms: int = 0
    dropped_ms: int = 0
    why: str = ""
    masked_ms: int = 0


class Recorder:
    """A `audio.taps.TapFactory` that keeps what it hears. One per media node.

    With `mask_holders` what is masked is kept under a key that takes two of them. A recording that cannot begin in `spool`,
    or finds it short of room, begins in `second_spool`; one whose spool fails while the call runs goes on in the other,
    as a recording that continues the first.
    """

    def __init__(
        self,
        spool: Path,
        keys: KeyRing,
        *,
        node: str,
        sink: EventSink,
        clock: Clock | None = None,
        min_free_mb: int = 0,
        second_spool: Path | None = None,
        mask_holders: Sequence[X25519PublicKey] = (),
        sync: Sync = os.fdatasync,
    ) -> None:
        self._spools = Spools(spool, second_spool, min_free=min_free_mb << 20)
        self._mask_holders = mask_holders
        self._keys = keys
        self._node = node
        self._sink = sink
        self._clock = clock or SystemClock()
        self._sync = sync
        self._calls: dict[str, RecordedCall] = {}
        self._stopping = threading.Event()
        # Asking a disk for its room may hang with it: that is no work for a hand.
        self._watch = threading.Thread(target=self._look_at_disks, name="spools", daemon=True)
        self._salvage = Salvage(self._spools, keys, self._clock, sink)
        self._hands = [
            Hand(
                keys,
                sink,
                self._clock,
                done=self._sealed,
                between=self._raise_alarm,
                left=self._salvage.take,
            )
            for _ in range(HANDS)
        ]

    def start(self) -> list[Manifest]:
        """Seal what an earlier run left open, then begin. Raises `DataDirBusy` when another node has this spool."""
        orphans = self._spools.start(self._keys, self._clock, self._sink)
        self._spools.look()
        for thread in self._threads():
            thread.start()
        return orphans

    def _threads(self) -> list[threading.Thread]:
        """In the order in which they end."""
        return [*(hand.thread for hand in self._hands), self._salvage.thread, self._watch]

    def stop(self, timeout_s: float = 10.0) -> None:
        """Seal every call that was closed and end. What is still open is sealed by the next start, as a failure."""
        for hand in self._hands:
            hand.stop()
        end = self._clock.monotonic() + timeout_s
        self._stopping.set()
        for thread in self._threads():
            if thread is self._salvage.thread:
                self._salvage.stop()
            if thread.is_alive():
                thread.join(max(0.0, end - self._clock.monotonic()))
        self._spools.release()

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> RecordedCall:
        """Begin to record. Returns at once; the files are made by the recorder's threads."""
        if call_id in self._calls:
            raise FileExistsError(f"call {call_id} is being recorded already")
        again = partial(
            draw_up, UUID(call_id), profile, tuple(tracks),
            node=self._node, clock=self._clock, mask_holders=self._mask_holders,
        )  # fmt: skip
        now = self._clock.monotonic()
        # A hand that waits for its disk is the last to be given another call.
        hand = min(self._hands, key=lambda h: (h.waits_for_disk(now), len(h.calls())))
        call = hand.take(
            Writing(self._spools, again(), self._sync, again=lambda continues: again(continues=continues))
        )
        self._calls[call_id] = call
        OPEN.inc()
        return call

    def state(self, call_id: str) -> RecordingStatus:
        """How the recording of a call is doing now. Cheap; any thread."""
        call = self._calls.get(call_id)
        if call is None:
            return RecordingStatus(Condition.SEALED if self._spools.sealed(call_id) else Condition.NONE)
        writing = call.writing
        dropped = max(
            tap.dropped_samples * 1000 // track.rate_hz
            for tap, track in zip(writing.taps.values(), writing.head.tracks, strict=True)
        )
        trouble = self._trouble(call) or ("disk_low" if self._spools.low else "")
        masked_from = call.masked_from_ms
        masked = 0 if masked_from is None else writing.reached_ms - masked_from
        if masked_from is not None:
            condition = Condition.MASKED
        elif trouble:
            condition = Condition.DEGRADED
        else:
            condition = Condition.SEALING if call.closing else Condition.RECORDING
        return RecordingStatus(condition, writing.safe_ms, dropped, trouble, masked)

    def open_calls(self) -> list[str]:
        """Calls whose recording has no seal yet."""
        return list(self._calls)

    @property
    def alarm(self) -> str:
        """Why recording is not as it should be: "", "disk_low", "disk_slow", "disk_full", "disk_error", "fault"."""
        troubles = (trouble for call in list(self._calls.values()) if (trouble := self._trouble(call)))
        return next(troubles, "disk_low" if self._spools.low else "")

    def _trouble(self, call: RecordedCall) -> str:
        return call.trouble or ("disk_slow" if call.waits_for_disk(self._clock.monotonic()) else "")

    # Called by the hands.

    def _sealed(self, call: RecordedCall) -> None:
        self._calls.pop(str(call.writing.head.call), None)
        OPEN.dec()

    def _raise_alarm(self) -> None:
        ALARM.set(1 if self.alarm else 0)
        now = self._clock.monotonic()
        for call in list(self._calls.values()):
            if call.waits_for_disk(now) and not call.told_trouble:
                call.told_trouble = True
                self._sink.emit(troubled(call.writing.head, "disk_slow"))

    def _look_at_disks(self) -> None:
        while not self._stopping.wait(CADENCE_S):
            self._spools.look()
