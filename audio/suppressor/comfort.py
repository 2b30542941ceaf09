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
QUIET_VOICE = np.float32(0.1)
QUIET_KEYS = np.float32(0.03)
"""Probabilities above which a frame is not the room's: low, for the end of a stroke is hardly a key any more, and a floor
learned from such ends stands 10 dB over the room."""
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
KNOWN = 30
"""Frames learned until a floor is believed in full; until then each is learned from."""
RESTLESS = 200
"""Blocks without a quiet frame, 2 s, after which the floor is sought in frames that are not surely a voice: the room may
be loud enough to be half taken for one. It then is the least of each bin, which may rise by SWELL a frame, 1 dB a second
at most."""
SURE_VOICE = np.float32(0.6)
"""From here on somebody speaks, and gets no noise: a voice hides that the room is missing, and would be harmed by it."""
FADES = np.float32(0.2)
"""Below SURE_VOICE, the range over which the noise fades in."""
SWELL = np.float32(1.01)


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
        self._offer = np.zeros((capacity, BINS), np.float32)
        """What may be put back of it, as far as it is believed."""
        self._known = np.zeros(capacity, np.int32)
        self._loud = np.zeros(capacity, np.int64)
        self._learned = np.zeros(capacity, np.int64)
        self._w_wide = np.zeros((capacity, BINS + 4), np.float32)
        self._w_pairs = np.zeros((capacity, BINS + 3), np.float32)
        self._w_spread = np.zeros((capacity, BINS), np.float32)
        self._w_offer = np.zeros((capacity, BINS), np.float32)
        self._w_level = np.zeros((capacity, BINS), np.float32)
        self._w_noise = np.zeros((capacity, BINS), np.complex64)

    def reset(self, slot: int) -> None:
        """A new stream has this slot."""
        for known in (self.floor, self._offer, self._known, self._loud, self._learned):
            known[slot] = 0

    def ease(
        self,
        slots: Slots,
        clock: NDArray[np.int64],
        gains: Float,
        levels: Float,
        keys: Float,
        voice: Float,
        spectra: Spectrum,
    ) -> None:
        """Learn from a frame of each stream, and put the room back into `spectra`, which `gains` have been applied to.

        `levels` are the frame's powers before that; all (streams, 161).
        """
        spread = self._spread(levels)
        self._learn(slots, clock, spread, keys, voice)
        silent = voice < SURE_VOICE
        if np.logical_and.reduce(silent):
            self._add(slots, clock, gains, spread, voice, spectra)
        elif np.logical_or.reduce(silent):
            rows = silent.nonzero()[0]
            part = spectra[rows]
            self._add(slots[rows], clock[rows], gains[rows], spread[rows], voice[rows], part)
            spectra[rows] = part

    def _learn(
        self, slots: Slots, clock: NDArray[np.int64], spread: Float, keys: Float, voice: Float
    ) -> None:
        """Take a frame into the floor where nothing sounds but the room."""
        since = self._loud[slots]
        loud = (voice >= QUIET_VOICE) | (keys >= QUIET_KEYS)
        np.copyto(since, clock, where=loud)
        self._loud[slots] = since
        rest = clock - since
        turn = clock % EVERY == 0
        learns = (rest >= HASTE) & (turn | (self._known[slots] < KNOWN))
        if np.logical_or.reduce(learns):
            self._follow(slots, clock, spread, rest, learns.nonzero()[0])
        if np.logical_or.reduce(turn):
            seeks = turn & (voice < SURE_VOICE) & (clock - self._learned[slots] > RESTLESS)
            if np.logical_or.reduce(seeks):
                self._seek(slots[seeks], spread[seeks])

    def _follow(
        self,
        slots: Slots,
        clock: NDArray[np.int64],
        spread: Float,
        rest: NDArray[np.int64],
        quiet: NDArray[np.intp],
    ) -> None:
        """What is heard in a quiet frame is the floor, or nearly."""
        rows = slots[quiet]
        floor, heard = self.floor[rows], spread[quiet]
        rise = np.where(rest[quiet] >= HOLD, RISE, np.float32(0))[:, None]
        rate = np.where(heard < floor, FALL, rise)
        moved = floor + rate * (np.minimum(heard, floor * JUMP) - floor)
        self._believe(rows, np.where((self._known[rows] == 0)[:, None], heard, moved))
        self._learned[rows] = clock[quiet]

    def _seek(self, rows: Slots, heard: Float) -> None:
        """There was no quiet frame for long: the floor lies under what sounds."""
        floor = self.floor[rows]
        new = (self._known[rows] == 0)[:, None]
        self._believe(rows, np.where(new, heard, np.minimum(floor * SWELL, heard)))

    def _believe(self, rows: Slots, floor: Float) -> None:
        """A floor is known a little better."""
        known = self._known[rows] + 1
        self.floor[rows] = floor
        self._known[rows] = known
        belief = BIAS * np.minimum(known / KNOWN, 1.0).astype(np.float32)
        self._offer[rows] = floor * belief[:, None]

    def _add(
        self,
        slots: Slots,
        clock: NDArray[np.int64],
        gains: Float,
        spread: Float,
        voice: Float,
        spectra: Spectrum,
    ) -> None:
        """Never more than was there: where a frame's own level is under the floor, it is what is put back."""
        n = len(slots)
        level, noise = self._w_level[:n], self._w_noise[:n]
        offer = np.take(self._offer, slots, axis=0, out=self._w_offer[:n], mode="clip")
        np.minimum(offer, spread, out=offer)
        np.multiply(gains, gains, out=level)
        np.subtract(np.float32(1.0), level, out=level)
        np.maximum(level, np.float32(0.0), out=level)
        level *= offer
        level *= np.minimum((SURE_VOICE - voice) / FADES, np.float32(1.0))[:, None]
        np.sqrt(level, out=level)
        np.take(self._table, (clock * STEP) % TABLE, axis=0, out=noise, mode="clip")
        noise *= level
        spectra += noise

    def _spread(self, levels: Float) -> Float:
        """Each bin with its two neighbours on either side; the edges stand for what lies beyond them."""
        n = len(levels)
        wide, pairs, spread = self._w_wide[:n], self._w_pairs[:n], self._w_spread[:n]
        wide[:, 2:-2] = levels
        wide[:, :2] = levels[:, :1]
        wide[:, -2:] = levels[:, -1:]
        np.add(wide[:, :-1], wide[:, 1:], out=pairs)
        np.add(pairs[:, :BINS], pairs[:, 2 : BINS + 2], out=spread)
        spread += wide[:, 4:]
        spread *= np.float32(0.2)
        return spread
