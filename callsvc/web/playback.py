"""All tracks of a call as one sound, a channel a track: what is in step here stays in step in any player.

Tracks of a lower rate are brought to the highest one. Each output sample is a function of its place alone, so that a
stretch read by itself is the same as that stretch of the whole: what an HTTP range needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.hearable import Hearable, Track
from audio.taps import Samples
from callsvc.recordings.wav import WavView

HALF: Final = 16  # samples of the lower rate to each side of a place
_KAISER_BETA: Final = 8.0


class Rise:
    """Brings a track from one rate to a higher one: a windowed sinc (Kaiser), by phases."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        shared = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // shared, from_hz // shared
        phases = np.arange(self._up)[:, None] / self._up
        away = np.arange(-HALF + 1, HALF + 1)[None, :] - phases
        window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (away / HALF) ** 2, 0, None)))
        table = np.sinc(away) * window
        self._table = (table / table.sum(axis=1, keepdims=True)).astype(np.float32)

    def reach(self, start: int, n: int) -> tuple[int, int]:
        """The first sample of the lower rate that `n` samples from `start` need, and how many."""
        first = start * self._down // self._up - HALF + 1
        last = (start + n - 1) * self._down // self._up + HALF
        return first, last - first + 1

    def at(self, start: int, n: int, low: Samples) -> Samples:
        """`n` samples from `start`, of `low`, the stretch that `reach` named."""
        place = np.arange(start, start + n) * self._down
        windows = np.lib.stride_tricks.sliding_window_view(low.astype(np.float32), 2 * HALF)
        first = place[0] // self._up
        mixed = np.einsum("ij,ij->i", windows[place // self._up - first], self._table[place % self._up])
        risen: Samples = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        return risen


class Playback(WavView):
    """A WAV file with a channel for each of `names`, made as it is read. `size` is known at once."""

    def __init__(self, source: Hearable[Track], names: Sequence[str]) -> None:
        self._source = source
        self._names = list(names)
        tracks = [source.tracks[name] for name in names]
        rate_hz = max(track.rate_hz for track in tracks)
        self._rises = {
            track.rate_hz: Rise(track.rate_hz, rate_hz) for track in tracks if track.rate_hz != rate_hz
        }
        super().__init__(
            rate_hz,
            max(-(-track.samples * rate_hz // track.rate_hz) for track in tracks),
            self._frames,
            channels=len(names),
            chunks_a_second=2,
        )

    def _frames(self, start: int, n: int) -> NDArray[np.int16]:
        frames = np.zeros((n, len(self._names)), dtype=np.int16)
        for channel, name in enumerate(self._names):
            rate = self._source.tracks[name].rate_hz
            if rate == self.rate_hz:
                frames[:, channel] = self._source.read(name, start, n)
                continue
            rise = self._rises[rate]
            first, count = rise.reach(start, n)
            before = max(0, -first)
            low = self._source.read(name, first + before, count - before)
            frames[:, channel] = rise.at(start, n, np.concatenate([np.zeros(before, np.int16), low]))
        return frames
