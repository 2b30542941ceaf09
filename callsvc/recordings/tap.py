"""The bounded ring between the call and the recorder.

    media loop ── write/gap ──► ring (20 s) ──► writer thread

The media loop only appends; the writer only takes. What does not fit is dropped, counted, and becomes a gap with the
cause `recorder`, so the clock is kept.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from audio.taps import GapCause, Samples

_POSITION = struct.Struct("<Q")
# A gap takes room as if it were this many samples, so that a flood of gaps is bounded, too.
GAP_WEIGHT = 80


@dataclass(frozen=True, slots=True)
class Item:
    """Sound, a gap (`cause` set), or sound of a masked stretch (both), as the tap was told of it."""

    start: int
    length: int
    samples: Samples | None
    cause: GapCause | None

    @property
    def weight(self) -> int:
        return self.length if self.samples is not None else GAP_WEIGHT


class RingTap:
    """A `audio.taps.Tap` for one track. One thread writes; another takes and settles."""

    def __init__(
        self, capacity_samples: int, reached: memoryview | None = None, *, keeps_masked: bool = False
    ) -> None:
        self._keeps_masked = keeps_masked
        self._capacity = capacity_samples
        self._items: deque[Item] = deque()
        # Each count has one writer, so neither needs a lock.
        self._put = 0
        self._settled = 0
        self._dropping: tuple[int, int] | None = None
        self._reached = reached
        self.dropped_samples = 0
        self.end = 0
        """How far the call has come on this track."""
        self._cover: GapCause | None = None

    def cover(self, cause: GapCause | None) -> None:
        """From now on let nothing through but the clock, as a gap with this cause; None ends it. Any thread."""
        self._cover = cause

    def attach(self, reached: memoryview) -> None:
        """8 bytes of shared memory that hold how far the call has come on this track, for who comes after a crash."""
        self._reached = reached
        if self.end > 0:
            # What came before the files were there counts, too.
            _POSITION.pack_into(reached, 0, self.end)

    def write(self, start: int, samples: Samples) -> None:
        self._add(Item(start, len(samples), samples, None))

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        self._add(Item(start, length, None, cause))

    def masked(self, start: int, samples: Samples) -> None:
        """Sound of a masked stretch: kept apart if that is the policy, else nothing but its length."""
        self._add(Item(start, len(samples), samples if self._keeps_masked else None, GapCause.MASK))

    def _add(self, item: Item) -> None:
        if item.length <= 0:
            return
        if self._cover is not None:
            kept = item.samples if self._keeps_masked and self._cover is GapCause.MASK else None
            item = Item(item.start, item.length, kept, self._cover)
        end = item.start + item.length
        self.end = max(self.end, end)
        if self._put - self._settled + item.weight > self._capacity:
            self._drop(item.start, end)
        else:
            if self._dropping is not None:
                start, until = self._dropping
                self._dropping = None
                self._append(Item(start, until - start, None, GapCause.RECORDER))
            self._append(item)
        if self._reached is not None and end > 0:
            _POSITION.pack_into(self._reached, 0, end)

    def _append(self, item: Item) -> None:
        self._put += item.weight
        self._items.append(item)

    def _drop(self, start: int, end: int) -> None:
        self.dropped_samples += end - start
        if self._dropping is None:
            self._dropping = (start, end)
        else:
            self._dropping = (min(start, self._dropping[0]), max(end, self._dropping[1]))

    def take(self) -> list[Item]:
        """Everything that waits, in order. It weighs on the ring until `settle`."""
        return [self._items.popleft() for _ in range(len(self._items))]

    def settle(self, weight: int) -> None:
        """Items of this weight are safe on disk: there is room again."""
        self._settled += weight

    def last_drop(self) -> tuple[int, int] | None:
        """At the end, when nobody writes any more: what was dropped and not yet told as a gap."""
        return self._dropping
