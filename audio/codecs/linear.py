"""Sound as it is: 16-bit samples, little-endian, no coding at all; for peers on the same machine or cable.

Not one of the codecs that are offered in SDP: what speaks it names it by its own means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audio.codecs.base import FRAME_MS
from audio.errors import CodecError
from audio.taps import Samples

BYTES = 2


@dataclass(frozen=True, slots=True)
class Linear:
    """Plain samples at one rate; its streams hold no state, so it is its own decoder and encoder."""

    rate_hz: int
    payload_type: None = None
    latency: int = 0

    @property
    def name(self) -> str:
        return f"L16-{self.rate_hz}"

    @property
    def clock_hz(self) -> int:
        return self.rate_hz

    @property
    def frame_samples(self) -> int:
        return self.rate_hz * FRAME_MS // 1000

    @property
    def frame_bytes(self) -> int:
        return self.frame_samples * BYTES

    def ticks(self, payload: bytes) -> int:
        return len(payload) // BYTES

    def decode(self, payload: bytes) -> Samples:
        if not payload or len(payload) % BYTES:
            raise CodecError("no whole samples")
        return np.frombuffer(payload, "<i2").astype(np.int16)

    def encode(self, samples: Samples) -> bytes:
        return samples.astype("<i2").tobytes()

    def decoder(self) -> Linear:
        return self

    def encoder(self) -> Linear:
        return self
