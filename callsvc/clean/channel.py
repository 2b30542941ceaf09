"""One channel of any rate, made quiet in pieces, as long as it was and in step with it.

    x ─┬─► 16 kHz ─┬─► suppressor ─► rate ───────────────────┐
       │           └─► rate ─┐                               + ─► y
       └──────► wait ────────┴─(−)─► what lies above 8 kHz ─► × what was done to 6-8 kHz

The network hears up to 8 kHz. What lies above goes its own way and is lowered as much as the highest of what it hears.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.suppressor import RATE, Network, Suppressor

Float = NDArray[np.float32]

FRAMES_PER_S = 100


class _Queue:
    """Samples in order, of which so many may be taken."""

    def __init__(self) -> None:
        self._held: Float = np.zeros(0, np.float32)

    def put(self, samples: Float) -> None:
        self._held = np.concatenate((self._held, samples))

    def take(self, count: int) -> Float:
        out, self._held = self._held[:count], self._held[count:]
        return out

    def __len__(self) -> int:
        return len(self._held)


class Channel:
    """Pieces in, what is ready out; `feed(..., last=True)` gives the rest."""

    def __init__(self, network: Network, rate_hz: int, comfort: bool = False) -> None:
        self.suppressor = Suppressor(network, comfort)
        self._rate = rate_hz
        self._same = rate_hz == RATE
        self._wide = rate_hz > RATE
        self._down = soxr.ResampleStream(rate_hz, RATE, 1, dtype="float32")
        self._up = soxr.ResampleStream(RATE, rate_hz, 1, dtype="float32")
        self._up_low = soxr.ResampleStream(RATE, rate_hz, 1, dtype="float32")
        self._clean, self._low, self._whole, self._gains = _Queue(), _Queue(), _Queue(), _Queue()
        self._in = self._out = 0
        self._first_gain = 0

    def feed(self, samples: Float, last: bool = False) -> Float:
        """The next samples of the channel; gives those that are ready, from where the last call ended."""
        self._in += len(samples)
        low = samples if self._same else self._down.resample_chunk(samples, last=last)
        clean = self.suppressor.feed(low)
        if last:
            clean = np.concatenate((clean, self.suppressor.flush()))
        if self._same:
            return clean
        self._clean.put(self._up.resample_chunk(clean, last=last))
        if self._wide:
            self._gains.put(self.suppressor.top_gains())
            self._low.put(self._up_low.resample_chunk(low, last=last))
            self._whole.put(samples)
        ready = self._in - self._out if last else len(self._clean)
        if self._wide and not last:
            ready = min(ready, len(self._low), len(self._whole), self._gains_reach() - self._out)
        return self._mix(max(0, min(ready, self._in - self._out)))

    def _gains_reach(self) -> int:
        """Samples of output for which the gains are known."""
        return int((self._first_gain + len(self._gains) - 1) * self._rate / FRAMES_PER_S)

    def _mix(self, count: int) -> Float:
        out = _exactly(self._clean.take(count), count)
        if self._wide:
            high = _exactly(self._whole.take(count), count) - _exactly(self._low.take(count), count)
            out = out + high * self._gain(count)
        self._out += count
        return out

    def _gain(self, count: int) -> Float:
        """The gain for each of the next samples, along straight lines from frame to frame."""
        places = (self._out + np.arange(count)) * (FRAMES_PER_S / self._rate) - 1
        gains = self._gains.take(len(self._gains))
        if not len(gains):
            gains = np.ones(1, np.float32)
        known = np.arange(len(gains)) + self._first_gain
        line: Float = np.interp(places, known, gains).astype(np.float32)
        done = max(0, min(len(gains) - 1, int(places[-1]) - self._first_gain)) if count else 0
        self._gains.put(gains[done:])
        self._first_gain += done
        return line


def _exactly(samples: Float, count: int) -> Float:
    """So many samples: resampling there and back may end one early."""
    return samples if len(samples) == count else np.pad(samples, (0, count - len(samples)))
