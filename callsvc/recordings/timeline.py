"""One track's sound and gaps, in order and without overlap, whatever the tap was told.

A position that nobody told of becomes a gap; what is told twice is taken once, the first time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audio.taps import GapCause, Samples
from callsvc.recordings.tap import Item


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a track that becomes one record: a second of sound at most, or a gap when `samples` is None."""

    start: int
    length: int
    samples: Samples | None
    cause: GapCause | None


class Timeline:
    """Turns what a tap gave into pieces that follow each other without a hole."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.end = 0
        self.late_samples = 0
        self._ready: list[Piece] = []
        self._masked: list[tuple[int, Samples]] = []
        self._sound: list[Samples] = []
        self._sound_start = 0
        self._sound_length = 0

    def add(self, item: Item) -> None:
        """Take an item; what lies before `end` is dropped and counted in `late_samples`."""
        start, stop = item.start, item.start + item.length
        if stop <= self.end:
            self.late_samples += item.length
            return
        if start < self.end:
            self.late_samples += self.end - start
            start = self.end
        if start > self.end:
            self._gap(self.end, start - self.end, GapCause.LOSS)
        if item.samples is None or item.cause is not None:
            self._gap(start, stop - start, item.cause or GapCause.LOSS)
            if item.samples is not None:
                self._masked.append((start, item.samples[start - item.start :]))
        else:
            self._add_sound(start, item.samples[start - item.start :])
        self.end = stop

    def extend(self, to: int, cause: GapCause) -> None:
        """Make the track reach `to` with a gap, if it does not."""
        if to > self.end:
            self._gap(self.end, to - self.end, cause)
            self.end = to

    def drain(self) -> list[Piece]:
        """All that is known so far. The next pieces begin where these end."""
        self._close_sound()
        ready, self._ready = self._ready, []
        return ready

    def drain_masked(self) -> list[Piece]:
        """Sound that lies under gaps of the cause `mask`, for whoever keeps it apart."""
        found: list[Piece] = []
        while self._masked:
            start, first = self._masked.pop(0)
            parts, end = [first], start + len(first)
            while self._masked and self._masked[0][0] == end and end - start < self.rate_hz:
                parts.append(self._masked.pop(0)[1])
                end += len(parts[-1])
            found.append(Piece(start, end - start, np.concatenate(parts).astype(np.int16, copy=False), None))
        return found

    def _add_sound(self, start: int, samples: Samples) -> None:
        at = 0
        while at < len(samples):
            part = samples[at : at + self.rate_hz - self._sound_length]
            if not self._sound:
                self._sound_start = start + at
            self._sound.append(part)
            self._sound_length += len(part)
            at += len(part)
            if self._sound_length >= self.rate_hz:
                self._close_sound()

    def _close_sound(self) -> None:
        if self._sound:
            joined = np.concatenate(self._sound).astype(np.int16, copy=False)
            self._ready.append(Piece(self._sound_start, len(joined), joined, None))
            self._sound = []
            self._sound_length = 0

    def _gap(self, start: int, length: int, cause: GapCause) -> None:
        self._close_sound()
        last = self._ready[-1] if self._ready else None
        if last is not None and last.samples is None and last.cause == cause:
            self._ready[-1] = Piece(last.start, last.length + length, None, cause)
        else:
            self._ready.append(Piece(start, length, None, cause))
