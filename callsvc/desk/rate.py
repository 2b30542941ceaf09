"""From one rate to another, as sound comes."""

from __future__ import annotations

from collections.abc import Callable

import soxr

from audio.devices import Float
from audio.resample import Resampler

Change = Callable[[Float], Float]


def unchanged(samples: Float) -> Float:
    return samples


def change(from_hz: int, to_hz: int) -> Change:
    """Quickly between multiples, by soxr between others; it remembers what went before."""
    if from_hz == to_hz:
        return unchanged
    if max(from_hz, to_hz) % min(from_hz, to_hz) == 0:
        return Resampler(from_hz, to_hz).process
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="LQ")
    return lambda samples: stream.resample_chunk(samples)
