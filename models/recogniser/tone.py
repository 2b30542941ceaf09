"""Whether what the detector took for speech is a tone that holds: a queue's music, a signal, an instrument.

A note keeps its pitch to a fraction of a percent; a voice does not, not even when it tries. Only where the detector
was in doubt as well: speech over a loud hum holds a tone, too, but there the detector is sure.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.recogniser.words import RATE

FRAME, HOP, SIZE = 1024, 256, 4096
LOW_HZ, HIGH_HZ = 150, 1500
HOLDS = 0.004
"""Two frames hold the same tone when their strongest partials differ by less than this share."""
STEADY = 0.5
SURE, DOUBTFUL = 0.5, 0.4
"""Where fewer than `DOUBTFUL` of the windows have a probability above `SURE`, the detector was in doubt."""

Sound = NDArray[np.float32]


def held(sound: Sound, speech: Callable[[Sound], list[float]]) -> bool:
    """Whether a stretch (16 kHz) is a held tone and no speech; `speech` gives its probabilities."""
    if steadiness(sound) < STEADY:
        return False
    found = speech(sound)
    return sum(one > SURE for one in found) < DOUBTFUL * max(1, len(found))


def steadiness(sound: Sound) -> float:
    """The share of its loud moments in which the strongest partial stays where it was, 0 to 1."""
    if len(sound) < FRAME + 4 * HOP:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.sum(frames**2, axis=1)
    loud = power > 0.1 * np.max(power)
    both = loud[:-1] & loud[1:]
    if np.count_nonzero(both) < 4:
        return 0.0
    low, high = LOW_HZ * SIZE // RATE, HIGH_HZ * SIZE // RATE
    strongest = low + np.argmax(np.abs(np.fft.rfft(frames, SIZE, axis=1))[:, low:high], axis=1)
    change = np.abs(np.diff(strongest)) / strongest[:-1]
    return float(np.mean((change < HOLDS)[both]))
