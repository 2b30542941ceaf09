"""The last minute from memory: what both parties said, for the operator's ear alone.

`Memory` is a tap that forgets; `Recall` is one listening, from some seconds back up to the moment it was asked for.
Nothing of it touches a disk, and nothing of it is ever handed to what goes to the caller.
"""

from __future__ import annotations

import numpy as np

from audio.resample import Floats, Resampler
from audio.taps import GapCause, Samples, Tap, tell_masked

FRAME_MS = 20


class Memory:
    """Keeps the last seconds of one track and hands everything on to the track's own tap."""

    def __init__(self, tap: Tap, rate_hz: int, keep_ms: int) -> None:
        self.rate_hz = rate_hz
        self.end = 0
        """Samples of the track so far."""
        self._tap = tap
        self._ring: Samples = np.zeros(keep_ms * rate_hz // 1000, np.int16)

    def write(self, start: int, samples: Samples) -> None:
        self._keep(samples)
        self._tap.write(start, samples)

    def masked(self, start: int, samples: Samples) -> None:
        """Sound that a recorder may keep under two locks; here it is nothing but its length."""
        self._keep(np.zeros(len(samples), np.int16))
        tell_masked(self._tap, start, samples)

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        room = min(length, len(self._ring))
        self.end += length - room
        self._keep(np.zeros(room, np.int16))
        self._tap.gap(start, length, cause)

    def _keep(self, samples: Samples) -> None:
        room = len(self._ring)
        if room == 0:
            return
        self.end += max(0, len(samples) - room)
        samples = samples[-room:]
        at = self.end % room
        self.end += len(samples)
        if at + len(samples) <= room:
            self._ring[at : at + len(samples)] = samples
            return
        first = room - at
        self._ring[at:] = samples[:first]
        self._ring[: len(samples) - first] = samples[first:]

    def read(self, start: int, count: int) -> Samples:
        """So many samples from here; what is not remembered is silence."""
        out: Samples = np.zeros(count, np.int16)
        begin = max(start, self.end - len(self._ring), 0)
        stop = min(start + count, self.end)
        if begin < stop:
            places = np.arange(begin, stop) % len(self._ring)
            out[begin - start : stop - start] = self._ring[places]
        return out

    def forget(self) -> None:
        """Remember nothing any more, from now on either."""
        self._ring[:] = 0
        self._ring = self._ring[:0].copy()


class Recall:
    """One listening to what was said: both parties in one, at the rate of what the operator is sent."""

    def __init__(self, memories: tuple[Memory, ...], from_ms: int, to_ms: int, rate_hz: int) -> None:
        self.at_ms = from_ms - from_ms % FRAME_MS
        self.to_ms = to_ms
        self._memories = memories
        self._rate_hz = rate_hz
        self._resamplers = [Resampler(memory.rate_hz, rate_hz) for memory in memories]
        self._rest: Floats = np.zeros(0, np.float32)

    @property
    def over(self) -> bool:
        return self.at_ms >= self.to_ms

    def step_back(self, back_ms: int, least_ms: int, to_ms: int) -> None:
        """Go on from so much earlier, up to this moment."""
        at_ms = max(least_ms, self.at_ms - back_ms)
        self.at_ms = at_ms - at_ms % FRAME_MS
        self.to_ms = to_ms

    def take(self, count: int) -> Floats:
        """The next samples, on the scale of int16."""
        while len(self._rest) < count:
            self._rest = np.concatenate([self._rest, self._frame()])
        out, self._rest = self._rest[:count], self._rest[count:]
        return out

    def _frame(self) -> Floats:
        mixed: Floats = np.zeros(FRAME_MS * self._rate_hz // 1000, np.float32)
        for memory, resampler in zip(self._memories, self._resamplers, strict=True):
            count = FRAME_MS * memory.rate_hz // 1000
            start = self.at_ms * memory.rate_hz // 1000
            heard = memory.read(start, count if not self.over else 0)
            sound = np.zeros(count, np.float32)
            sound[: len(heard)] = heard
            mixed += resampler.process(sound)
        self.at_ms += FRAME_MS
        return mixed
