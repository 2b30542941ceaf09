"""What a caller hears who has been answered, by us, while no operator is there yet: that it rings.

Asterisk plays a ringing tone only until somebody else's sound comes, and ours must come at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from audio.codecs.linear import Linear

TONE_HZ: Final = 425
TONE_FRAMES: Final = 50
EVERY_FRAMES: Final = 300
"""As it rings in Sweden: a second of tone, five of silence (ETSI TR 101 041-2)."""
PEAK: Final = 3000
"""-21 dBFS."""


class Ringing:
    """A ringing tone, frame by frame."""

    def __init__(self) -> None:
        self._frames = 0

    def frame(self, codec: Linear) -> bytes:
        """The next 20 ms."""
        n, self._frames = self._frames, (self._frames + 1) % EVERY_FRAMES
        if n >= TONE_FRAMES:
            return bytes(codec.frame_bytes)
        times = (n * codec.frame_samples + np.arange(codec.frame_samples)) / codec.rate_hz
        return codec.encode((PEAK * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.int16))
