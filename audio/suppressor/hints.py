"""Key times as a help: an option beside a network that works without them.

A hint is the time of a key press and nothing else. It may do two things, and each only as far as the network itself
agrees, so that lost, late or forged hints cannot make the sound worse than no hints at all:

* Around a hinted press, in a true pause (the network hears no voice, and has heard none for a while), what is left is
  lowered further, until nobody hears it and no further. Somebody who forges hints mutes what can be heard in pauses, and
  nothing else.
* While no key is hinted or heard for two seconds, small losses that the network makes in speech are undone. Where it
  takes more than 3 dB out of a frame it is believed, so a withheld hint lets nothing through that was taken out.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.frames import BLOCK, RATE, WINDOW, Float

Slots = NDArray[np.intp]

MEMORY = 8
"""Hints kept for each stream."""
EARLY = RATE * 10 // 1000
"""Samples before a hinted press, and after it, in which a pause is muted."""
LATE = RATE * 90 // 1000
MUTE = np.float32(10 ** (-30 / 20))
FAINT = np.float32(10 ** (-66 / 10))
"""Power of a frame that nobody hears a stroke in, and under which nothing is muted: the background of a voice is not made
a hole wherever somebody says that a key was pressed."""
SPEECH_VOICE = np.float32(0.5)
AFTER_VOICE = 20
"""Blocks after the last voice in which nothing is muted: the ends of words."""
HELD = 200
"""Blocks for which one key, hinted or heard, keeps the suppressor fully engaged: 2 s."""
HEARD_KEY = np.float32(0.1)
MILD = np.float32(0.5)
"""Share of a frame's power that must be left for its losses to be undone: 3 dB."""
OLDEST = RATE // 2
"""Samples by which a hint may lag what has been heard, and NEWEST, by which it may lead it; others are ignored."""
NEWEST = RATE // 10
NEVER = -(1 << 40)


class GainStage(Protocol):
    """Something that may change the network's gains before they are applied."""

    @property
    def wanted(self) -> bool:
        """Some stream has asked for it."""

    def reset(self, slot: int, asked: bool) -> None:
        """A new stream has this slot; `asked` when it wants this stage."""

    def hint(self, slot: int, at_samples: int, heard_samples: int) -> bool:
        """A key time on the stream's input clock, of which `heard_samples` have come in; False when it is ignored."""

    def apply(
        self, slots: Slots, clock: NDArray[np.int64], gains: Float, levels: Float, keys: Float, voice: Float
    ) -> None:
        """Change `gains` (streams, 161) in place; `levels` are the bins' powers, `clock` counts blocks."""


class KeyTimes:
    """The gain stage that listens to key times."""

    def __init__(self, capacity: int) -> None:
        self._on = np.zeros(capacity, bool)
        self._asked = 0
        self._times = np.full((capacity, MEMORY), NEVER, np.int64)
        self._next = np.zeros(capacity, np.int64)
        self._spoken = np.full(capacity, NEVER, np.int64)
        self._key = np.zeros(capacity, np.int64)

    @property
    def wanted(self) -> bool:
        """Some stream listens to key times."""
        return self._asked > 0

    def reset(self, slot: int, asked: bool) -> None:
        """A new stream has this slot: engaged, as if a key had just been heard."""
        self._asked += asked - int(self._on[slot])
        self._on[slot] = asked
        self._times[slot] = NEVER
        self._next[slot] = 0
        self._spoken[slot] = NEVER
        self._key[slot] = 0

    def hint(self, slot: int, at_samples: int, heard_samples: int) -> bool:
        """Remember a key time that can still matter."""
        if not self._on[slot] or not heard_samples - OLDEST <= at_samples <= heard_samples + NEWEST:
            return False
        self._times[slot, self._next[slot] % MEMORY] = at_samples
        self._next[slot] += 1
        return True

    def apply(
        self, slots: Slots, clock: NDArray[np.int64], gains: Float, levels: Float, keys: Float, voice: Float
    ) -> None:
        """Mute further in hinted pauses; undo mild losses where nobody types."""
        rows = self._on[slots].nonzero()[0]
        if not len(rows):
            return
        where = slots[rows]
        now = clock[rows]
        start = (now - 2) * BLOCK
        times = self._times[where]
        near = ((times - EARLY < (start + WINDOW)[:, None]) & (times + LATE > start[:, None])).any(axis=1)
        speaks = voice[rows]
        spoken = np.where(speaks >= SPEECH_VOICE, now, self._spoken[where])
        self._spoken[where] = spoken
        struck = np.where(near | (keys[rows] >= HEARD_KEY), now, self._key[where])
        self._key[where] = struck
        for row in rows[near & (now - spoken > AFTER_VOICE)]:
            left = (gains[row] ** 2 * levels[row]).sum() * np.float32(2 / WINDOW)
            if left > FAINT:
                gains[row] *= max(MUTE, np.sqrt(FAINT / left))
        idle = (now - struck > HELD) & (speaks >= SPEECH_VOICE)
        for row in rows[idle]:
            gain, level = gains[row], levels[row]
            if (gain * gain * level).sum() >= MILD * level.sum():
                gain[:] = 1.0
