"""A recording in which the stretches of a redacted copy are silent, on every track: as long as before, on the same clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from audio.hearable import Hearable, Track
from callsvc.transcripts.layers.redacting import Stretch

T = TypeVar("T", bound=Track)


class Silenced(Generic[T]):
    """`source` without `stretches`; what is read of it is silence there, whichever way it is read."""

    def __init__(self, source: Hearable[T], stretches: Sequence[Stretch], names: Sequence[str]) -> None:
        self._source = source
        self._stretches = stretches
        self.tracks: Mapping[str, T] = {name: source.tracks[name] for name in names}

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        """Samples `start` to `start + n` of a track."""
        rate = self.tracks[track].rate_hz
        sound = self._source.read(track, start, n).copy()
        for one in self._stretches:
            # Outwards to whole samples: never one less than was chosen.
            first, last = one.start_ms * rate // 1000, -(-one.end_ms * rate // 1000)
            a, b = max(start, first), min(start + n, last)
            if a < b:
                sound[a - start : b - start] = 0
        return sound
