"""From one rate to another, in a stream and in one piece.

`Resampler` is for live sound: a windowed-sinc filter (Kaiser) between rates of which one is a whole multiple
of the other (8, 16, 24, 48 kHz), with a constant, whole-sample latency. `whole` is for files, any rates, by soxr.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

REACH = 24
"""Samples of the lower rate that the filter sees to either side."""
KAISER_BETA = 6.2
"""Some 65 dB of stop band."""
CUTOFF = 0.94
"""Of the lower rate's Nyquist frequency: half-way down."""


def _kernel(ratio: int) -> NDArray[np.float64]:
    half = REACH * ratio
    at = np.arange(-half, half + 1) / ratio
    kernel = CUTOFF * np.sinc(CUTOFF * at) * np.kaiser(2 * half + 1, KAISER_BETA)
    normed: NDArray[np.float64] = kernel / kernel.sum()
    return normed


class Resampler:
    """Changes the rate of a stream; `latency` is in samples of the outgoing rate."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        high, low = max(from_hz, to_hz), min(from_hz, to_hz)
        if high % low:
            raise ValueError(f"{from_hz} and {to_hz} Hz: one must be a multiple of the other")
        ratio = high // low
        self._down = from_hz >= to_hz
        self._step = ratio if self._down else 1
        kernel = _kernel(ratio)
        if ratio == 1:
            self._taps = np.ones((1, 1), np.float32)
            self.latency = 0
        elif self._down:
            self._taps = kernel[::-1].astype(np.float32)[:, None]
            self.latency = REACH
        else:
            # Phase p of the outgoing samples uses every ratio-th tap, counted from p.
            padded = np.concatenate([kernel * ratio, np.zeros(ratio - 1)])
            self._taps = np.asfortranarray(padded.reshape(-1, ratio)[::-1].astype(np.float32))
            self.latency = REACH * ratio
        self._rest: Floats = np.zeros(len(self._taps) - 1, np.float32)

    def process(self, samples: Floats) -> Floats:
        """The next stretch at the new rate; in whole multiples of the ratio, exactly as long in time."""
        if len(self._taps) == 1:
            return samples.astype(np.float32, copy=False)
        buffer = np.concatenate([self._rest, samples], dtype=np.float32)
        width = len(self._taps)
        count = max(0, (len(buffer) - width) // self._step + 1)
        if self._down and count:
            self._rest = buffer[count * self._step :].copy()
            # Working out what is then left out costs less than gathering a window for each sample that is kept.
            lower: Floats = np.correlate(buffer, self._taps[:, 0], "valid")[:: self._step][:count]
            return lower
        # A run of inner products a phase costs far less than a window for each sample.
        self._rest = buffer[len(buffer) - width + 1 :].copy()
        phases = self._taps.shape[1]
        out: Floats = np.empty((max(0, len(buffer) - width + 1), phases), np.float32)
        if len(out):
            for phase in range(phases):
                out[:, phase] = np.correlate(buffer, self._taps[:, phase], "valid")
        return out.reshape(-1)


def lowered(resamplers: Sequence[Resampler], stretches: Floats) -> Floats:
    """The next stretch of each of some streams, a row each, at their lower rate: what `process` gives, row by row.

    All of the same two rates; the stretches hold a whole multiple of the ratio, at least as long as the filter.
    """
    first = resamplers[0]
    taps, step = first._taps[:, 0], first._step
    reach, length = len(taps) - 1, stretches.shape[1]
    buffers = np.concatenate(
        [np.stack([one._rest for one in resamplers]), stretches], axis=1, dtype=np.float32
    )
    lower: Floats = np.empty((len(buffers), length // step), np.float32)
    for row, (one, buffer) in enumerate(zip(resamplers, buffers, strict=True)):
        lower[row] = np.correlate(buffer, taps, "valid")[::step]
        one._rest = buffer[length : length + reach]
    return lower


def whole(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """A whole piece of sound at another rate, without latency."""
    if from_hz == to_hz:
        return samples
    resampled: Floats = soxr.resample(samples, from_hz, to_hz, quality="HQ")
    return resampled


def to_int16(samples: Floats) -> NDArray[np.int16]:
    """Sound in +-1.0 as int16, clipped."""
    return _whole_numbers(samples * np.float32(32768.0))


def rounded(samples: Floats) -> NDArray[np.int16]:
    """Sound in float32 on the scale of int16 as int16, clipped."""
    return _whole_numbers(samples.copy())


def _whole_numbers(whole_numbers: Floats) -> NDArray[np.int16]:
    """The same, on the array itself."""
    np.rint(whole_numbers, out=whole_numbers)
    np.minimum(whole_numbers, 32767, out=whole_numbers)
    np.maximum(whole_numbers, -32768, out=whole_numbers)
    return whole_numbers.astype(np.int16)


def to_float(samples: NDArray[np.int16]) -> Floats:
    """Sound in int16 as float32 in +-1.0."""
    return samples.astype(np.float32) * np.float32(1 / 32768)
