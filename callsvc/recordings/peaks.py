"""The outline of a track for a waveform on the screen: lowest and highest sample, 20 times a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.taps import Samples

PER_SECOND = 20


@dataclass(frozen=True, slots=True)
class Peaks:
    """`low[i]` and `high[i]` hold the extremes of the i-th twentieth of a second, as the upper 8 of 16 bits."""

    low: NDArray[np.int8]
    high: NDArray[np.int8]

    def dump(self) -> bytes:
        """All of `low`, then all of `high`."""
        return self.low.tobytes() + self.high.tobytes()


def load_peaks(raw: bytes) -> Peaks:
    """What `dump` has written."""
    both = np.frombuffer(raw, dtype=np.int8)
    half = len(both) // 2
    return Peaks(both[:half], both[half:])


class Outline:
    """Gathers the peaks of a track while it grows. A gap is flat."""

    def __init__(self, rate_hz: int) -> None:
        self._step = max(1, rate_hz // PER_SECOND)
        self._low = np.zeros(0, dtype=np.int8)
        self._high = np.zeros(0, dtype=np.int8)

    def add(self, start: int, samples: Samples) -> None:
        """Take sound that begins at sample `start`."""
        if not len(samples):
            return
        first = start // self._step
        last = (start + len(samples) - 1) // self._step
        self._grow(last + 1)
        edges = np.maximum(np.arange(first, last + 1) * self._step - start, 0)
        low = (np.minimum.reduceat(samples, edges) >> 8).astype(np.int8)
        high = (np.maximum.reduceat(samples, edges) >> 8).astype(np.int8)
        np.minimum(self._low[first : last + 1], low, out=self._low[first : last + 1])
        np.maximum(self._high[first : last + 1], high, out=self._high[first : last + 1])

    def forget(self, samples: int) -> None:
        """Make it flat up to this position: that sound is kept elsewhere."""
        self._low[: samples // self._step] = 0
        self._high[: samples // self._step] = 0

    def peaks(self, samples: int) -> Peaks:
        """The outline of a track that is `samples` long."""
        count = -(-samples // self._step)
        self._grow(count)
        return Peaks(self._low[:count].copy(), self._high[:count].copy())

    def _grow(self, count: int) -> None:
        if count > len(self._low):
            more = np.zeros(max(count, 2 * len(self._low)) - len(self._low), dtype=np.int8)
            self._low = np.concatenate([self._low, more])
            self._high = np.concatenate([self._high, more])
