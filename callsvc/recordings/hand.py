"""A thread that writes some of the calls: each call belongs to one hand, and waits for no other hand's disk."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Mapping
from typing import Final

from audio.taps import GapCause, Tap
from callsvc import logs
from callsvc.bus import EventSink
from callsvc.clock import Clock
from callsvc.errors import CallsvcError
from callsvc.recordings.figures import ALARM, BYTES, DROPPED, SYNCS
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.notices import head_so_far, sealed, started, troubled
from callsvc.recordings.writing import Left, Writing

CADENCE_S: Final = 0.7
"""Sound is safe on disk this long after it was heard, and what the disk takes. One second is promised."""

HEAD_EVERY_S: Final = 10.0
"""How often the chain's head leaves the node while the call runs."""

MOVE_AFTER: Final = 3
"""So many times in a row the disk may fail before a recording goes on elsewhere: two seconds, of the twenty that wait."""

SLOW_S: Final = 3.0
"""The disk is called slow when it has kept a call's sound waiting for so long."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class RecordedCall:
    """A `audio.taps.CallTaps`: what one call hands its sound to."""

    def __init__(self, writing: Writing, wake: Callable[[], None], due: float) -> None:
        self.writing = writing
        self.due = due
        self.closing: tuple[Mapping[str, int], str] | None = None
        self.trouble = ""
        self.told_trouble = False
        self.masked_from_ms: int | None = None
        self.head_due = due + HEAD_EVERY_S
        self.wake = wake
        self.failed = 0
        """Times in a row that the disk failed."""
        self.attended_since: float | None = None
        """When the hand began with what it is doing for this call now."""

    def waits_for_disk(self, now: float) -> bool:
        """Whether the disk has not answered for so long that somebody should know."""
        since = self.attended_since
        return since is not None and now - since > SLOW_S

    def tap(self, track: str) -> Tap:
        return self.writing.taps[track]

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        """Keep a marker, a consent, an announcement with the sound, at this time of the call."""
        self.writing.note(at_ms, content)

    def mask(self, reason: str) -> None:
        """Keep nothing of what is heard from now on, on any track; its length and `reason` are kept. Any thread."""
        if self.masked_from_ms is None:
            self.masked_from_ms = self.writing.reached_ms
            self.note(self.masked_from_ms, {"kind": "mask", "state": "on", "reason": reason})
            self.writing.cover(GapCause.MASK)

    def unmask(self) -> None:
        """Record again."""
        if self.masked_from_ms is not None:
            self.writing.cover(None)
            self.note(self.writing.reached_ms, {"kind": "mask", "state": "off"})
            self.masked_from_ms = None

    def close(self, lengths: Mapping[str, int], cause: str) -> None:
        self.closing = (dict(lengths), cause)
        self.due = 0.0
        self.wake()


class Hand:
    """One writing thread. `done` is called with each call that has its seal, `left` with what one leaves behind when it
    goes on elsewhere; `between` once a turn."""

    def __init__(
        self,
        keys: KeyRing,
        sink: EventSink,
        clock: Clock,
        *,
        done: Callable[[RecordedCall], None],
        between: Callable[[], None],
        left: Callable[[Left], None],
    ) -> None:
        self._keys = keys
        self._sink = sink
        self._clock = clock
        self._done = done
        self._between = between
        self._left = left
        self._calls: dict[str, RecordedCall] = {}
        self._changed = threading.Event()
        self._stopping = False
        self._log = logs.get("recorder")
        self.thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def take(self, writing: Writing) -> RecordedCall:
        """Write this call from now on."""
        call = RecordedCall(writing, self._changed.set, self._clock.monotonic())
        self._calls[str(writing.head.call)] = call
        self._changed.set()
        return call

    def calls(self) -> list[RecordedCall]:
        return list(self._calls.values())

    def waits_for_disk(self, now: float) -> bool:
        return any(call.waits_for_disk(now) for call in self.calls())

    def stop(self) -> None:
        """Seal what was closed, write what has come, end."""
        self._stopping = True
        self._changed.set()

    def _run(self) -> None:
        while not (self._stopping and not any(c.closing and not c.trouble for c in self.calls())):
            self._between()
            now = self._clock.monotonic()
            for call in self.calls():
                if call.due <= now:
                    self._attend(call)
            now = self._clock.monotonic()
            soonest = min((c.due for c in self.calls()), default=now + CADENCE_S)
            self._changed.wait(max(0.0, soonest - now))
            self._changed.clear()
        for call in self.calls():
            self._attend(call)
            call.writing.close()

    def _attend(self, call: RecordedCall) -> None:
        """Do what is due for one call; an error of the disk is remembered and tried again at the next turn."""
        call.attended_since = self._clock.monotonic()
        call.due = call.attended_since + CADENCE_S
        writing = call.writing
        syncs, written, dropped = writing.syncs, writing.bytes_written, writing.dropped_samples
        try:
            if not writing.ready:
                writing.begin(self._keys)
                self._sink.emit(started(writing.head))
            if call.closing is None:
                writing.flush()
                self._tell_head(call)
            else:
                manifest = writing.seal(*call.closing, self._keys, self._clock)
                self._end(call)
                self._sink.emit(sealed(manifest, writing.head.continues))
            self._relieved(call)
        except OSError as error:
            self._troubled(call, "disk_full" if error.errno in _FULL else "disk_error")
            call.failed += 1
            if call.failed >= MOVE_AFTER:
                self._go_elsewhere(call)
        except Exception as error:
            # The root of this thread: one call's fault must not end the others' recordings.
            self._log.error("recording_fault", call=str(writing.head.call), kind=type(error).__name__)
            self._troubled(call, "fault")
        SYNCS.inc(max(0, writing.syncs - syncs))
        BYTES.inc(max(0, writing.bytes_written - written))
        DROPPED.inc(max(0, writing.dropped_samples - dropped))
        call.attended_since = None

    def _go_elsewhere(self, call: RecordedCall) -> None:
        """The disk fails and fails: on in another spool, if there is one that can."""
        writing = call.writing
        name = str(writing.head.call)
        try:
            left = writing.move(self._keys)
            if left is not None:
                call.due = 0.0
                self._log.warning("recording_goes_on_elsewhere", call=name)
                self._sink.emit(started(writing.head))
            elif (left := writing.leave()) is not None:
                self._log.error("recording_lost_its_place", call=name)
                self._end(call)
        except (OSError, CallsvcError) as error:
            self._log.error("recording_stays", call=name, kind=type(error).__name__)
            return
        if left is not None:
            call.failed = 0
            self._left(left)

    def _end(self, call: RecordedCall) -> None:
        del self._calls[str(call.writing.head.call)]
        self._done(call)

    def _tell_head(self, call: RecordedCall) -> None:
        now = self._clock.monotonic()
        records, chain = call.writing.head_so_far()
        if now >= call.head_due and records:
            call.head_due = now + HEAD_EVERY_S
            self._sink.emit(head_so_far(call.writing.head, records, chain))

    def _troubled(self, call: RecordedCall, why: str) -> None:
        call.trouble = why
        ALARM.set(1)
        if not call.told_trouble:
            call.told_trouble = True
            self._log.error("recording_in_trouble", call=str(call.writing.head.call), why=why)
            call.note(call.writing.reached_ms, {"kind": "degraded", "what": "recording", "why": why})
            self._sink.emit(troubled(call.writing.head, why))

    def _relieved(self, call: RecordedCall) -> None:
        call.failed = 0
        if call.trouble:
            call.trouble = ""
            self._log.warning("recording_writes_again", call=str(call.writing.head.call))
