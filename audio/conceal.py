"""What is played where a packet is missing: the last sound again, fading, and then nothing.

A loss of one frame is heard as a slight dip; after 60 ms there is silence, so that nobody's voice goes on by itself.
"""

from __future__ import annotations

import numpy as np

from audio.taps import Samples

FADE_MS = 60
RETURN_MS = 3
"""How fast the sound comes back after a hole."""


class Concealer:
    """Fills the holes of one stream at one rate."""

    def __init__(self, rate_hz: int) -> None:
        self._fade = rate_hz * FADE_MS // 1000
        self._last: Samples = np.zeros(0, np.int16)
        self._filled = 0

    def good(self, samples: Samples) -> None:
        """Take note of sound that came."""
        self._last = samples
        self._filled = 0

    def hole(self, count: int) -> Samples:
        """Sound for `count` samples that never came."""
        start, self._filled = self._filled, self._filled + count
        if start >= self._fade or len(self._last) == 0:
            return np.zeros(count, np.int16)
        source = np.resize(self._last, count)
        gain = np.clip(1.0 - (start + np.arange(count)) / self._fade, 0.0, 1.0)
        return (source * gain).astype(np.int16)

    def silence(self, count: int) -> Samples:
        """Sound for `count` samples in which the sender chose to send none."""
        self._filled = max(self._filled, self._fade)
        return np.zeros(count, np.int16)


def ease_in(samples: Samples, rate_hz: int) -> Samples:
    """The same sound with its first milliseconds faded in: for the first that is played after a hole."""
    count = min(rate_hz * RETURN_MS // 1000, len(samples))
    eased = samples.copy()
    eased[:count] = (eased[:count] * np.linspace(0.0, 1.0, count)).astype(np.int16)
    return eased
