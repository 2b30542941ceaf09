"""G.722 at 64 kbit/s: 16 kHz sound on an RTP clock that says 8000 (RFC 3551 section 4.5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from audio.codecs.base import FRAME_MS
from audio.codecs.pyav import PyavDecoder, PyavEncoder

RATE_HZ = 16000
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000


@dataclass(frozen=True, slots=True)
class G722:
    """G.722 as a codec; a payload byte is two samples and one tick."""

    name: str = "G722"
    payload_type: int = 9
    rate_hz: int = RATE_HZ
    clock_hz: int = 8000
    latency: int = 22
    """The two band-splitting filters, 24 taps each."""
    frame_samples: int = FRAME_SAMPLES

    def ticks(self, payload: bytes) -> int:
        return len(payload)

    def decoder(self) -> PyavDecoder:
        return PyavDecoder("g722", RATE_HZ)

    def encoder(self) -> PyavEncoder:
        return PyavEncoder("g722", RATE_HZ, FRAME_SAMPLES)


CODEC = G722()
