"""The room's own noise, put back where something was taken out.

A gain below one takes the room away together with the key. Each bin gets back what the gain took of the floor:
gain² of it went through, so 1 - gain² is added, as noise of the floor's own spectrum. What is left then sounds like
the room and not like a gate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.frames import BINS, POWER_SCALE, Float, Spectrum

Slots = NDArray[np.intp]

TABLE = 1024
STEP = 389
"""Noise is read from a table of 1024 frames with this stride: 10 s until it comes round, in another order each row."""
QUIET_VOICE = np.float32(0.2)
QUIET_KEYS = np.float32(0.1)
HOLD = 12
"""Blocks after voice or a key in which the floor does not rise: releases and echoes."""
HASTE = 4
"""Blocks after them in which it does not fall, either."""
EVERY = 4
"""Frames of which one is learned from, once a floor is known: the others say the same, half of it literally."""
RISE = np.float32(0.05)
"""Share of a learned frame in a floor that it is above; and FALL, in one that it is below. What gets into a floor
besides the room, such as a key's echo, is always above it."""
FALL = np.float32(0.3)
JUMP = np.float32(4.0)
"""Most that a single frame counts for, over the floor known so far."""
BIAS = np.float32(1.8)
"""What such a floor is too low by, with five bins taken together."""
KNOWN = 12
"""Frames learned until a floor is believed in full; until then each is learned from."""


def noise_table() -> Spectrum:
    """Frames of white noise, (1024, 161), of a level that windowed and overlapped frames of noise would have.

    Frames of real noise overlap in phase; these don't, and lose 3 dB by it: hence the factor of two in power.
    """
    draw = np.random.default_rng(20).standard_normal((TABLE, BINS, 2))
    table: Spectrum = ((draw[..., 0] + 1j * draw[..., 1]) / np.sqrt(POWER_SCALE)).astype(np.complex64)
    return table


class Comfort:
    """The floor of every stream, and the noise made from it."""

    def __init__(self, capacity: int) -> None:
        self._table = noise_table()
        self.floor: Float = np.zeros((capacity, BINS), np.float32)
        """Power of each bin of each stream's quiet frames."""
        self._known = np.zeros(capacity, np.int32)
        self._loud = np.zeros(capacity, np.int64)
        self._w_floor = np.zeros((capacity, BINS), np.float32)
        self._w_level = np.zeros((capacity, BINS), np.float32)
        self._w_noise = np.zeros((capacity, BINS), np.complex64)

    def reset(self, slot: int) -> None:
        """A new stream has this slot."""
        self.floor[slot] = 0.0
        self._known[slot] = 0
        self._loud[slot] = 0

    def learn(self, slots: Slots, clock: NDArray[np.int64], levels: Float, keys: Float, voice: Float) -> None:
        """Take a frame into the floor where nothing sounds but the room; `levels` are powers (streams, 161)."""
        loud = (voice >= QUIET_VOICE) | (keys >= QUIET_KEYS)
        since = np.where(loud, clock, self._loud[slots])
        self._loud[slots] = since
        rest = clock - since
        quiet = ((rest >= HASTE) & ((clock % EVERY == 0) | (self._known[slots] < KNOWN))).nonzero()[0]
        if not len(quiet):
            return
        rows = slots[quiet]
        known = self._known[rows]
        floor = self.floor[rows]
        heard = _spread(levels[quiet])
        rise = np.where(rest[quiet] >= HOLD, RISE, np.float32(0))[:, None]
        rate = np.where(heard < floor, FALL, rise)
        moved = floor + rate * (np.minimum(heard, floor * JUMP) - floor)
        self.floor[rows] = np.where((known == 0)[:, None], heard, moved)
        self._known[rows] = known + 1

    def add(
        self, slots: Slots, clock: NDArray[np.int64], gains: Float, levels: Float, spectra: Spectrum
    ) -> None:
        """Put the room back into `spectra`, which `gains` have been applied to; all (streams, 161).

        Never more than was there: where a frame's own `levels` are under the floor, they are what is put back.
        """
        n = len(slots)
        level, noise = self._w_level[:n], self._w_noise[:n]
        floor = np.take(self.floor, slots, axis=0, out=self._w_floor[:n], mode="clip")
        np.multiply(gains, gains, out=level)
        np.subtract(np.float32(1.0), level, out=level)
        np.maximum(level, np.float32(0.0), out=level)
        floor *= BIAS
        level *= np.minimum(floor, _spread(levels), out=floor)
        level *= np.minimum(self._known[slots] / KNOWN, 1.0).astype(np.float32)[:, None]
        np.sqrt(level, out=level)
        np.take(self._table, (clock * STEP) % TABLE, axis=0, out=noise, mode="clip")
        noise *= level
        spectra += noise


def _spread(levels: Float) -> Float:
    """Each bin with its two neighbours on either side; the edges stand for what lies beyond them."""
    wide = np.pad(levels, ((0, 0), (2, 2)), mode="edge")
    spread: Float = wide[:, :BINS] + wide[:, 4:]
    for n in (1, 2, 3):
        spread += wide[:, n : n + BINS]
    spread *= np.float32(0.2)
    return spread
