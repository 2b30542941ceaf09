"""Opus (RFC 6716, RFC 7587), mono, by libopus.

The encoder runs in low-delay mode at 32 kbit/s: the cheapest of the settings that carry speech well.
It is CELT alone, so it has no in-band error correction.
"""

from __future__ import annotations

from dataclasses import dataclass

from audio.codecs.base import FRAME_MS
from audio.codecs.pyav import PyavDecoder, PyavEncoder

RATE_HZ = 48000
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
BIT_RATE = 32000
MAX_TICKS = 120 * RATE_HZ // 1000

_SILK_TICKS = (480, 960, 1920, 2880)
_HYBRID_TICKS = (480, 960)
_CELT_TICKS = (120, 240, 480, 960)


def _frame_ticks(configuration: int) -> int:
    """Length of one frame of a configuration number (RFC 6716 section 3.1, table 2)."""
    if configuration < 12:
        return _SILK_TICKS[configuration & 3]
    if configuration < 16:
        return _HYBRID_TICKS[configuration & 1]
    return _CELT_TICKS[configuration & 3]


@dataclass(frozen=True, slots=True)
class Opus:
    """Opus as a codec; 48 kHz whatever the sender's microphone does."""

    name: str = "opus"
    payload_type: None = None
    rate_hz: int = RATE_HZ
    clock_hz: int = RATE_HZ
    latency: int = 120
    """Look-ahead of libopus in low-delay mode; a peer's encoder in another mode has more of its own."""
    frame_samples: int = FRAME_SAMPLES

    def ticks(self, payload: bytes) -> int:
        if not payload:
            return 0
        code = payload[0] & 3
        if code == 3:
            count = payload[1] & 0x3F if len(payload) > 1 else 0
        else:
            count = 1 if code == 0 else 2
        ticks = count * _frame_ticks(payload[0] >> 3)
        return ticks if ticks <= MAX_TICKS else 0

    def decoder(self) -> PyavDecoder:
        return PyavDecoder("libopus", RATE_HZ)

    def encoder(self) -> PyavEncoder:
        options = {"application": "lowdelay", "compression_level": "5", "frame_duration": "20"}
        return PyavEncoder("libopus", RATE_HZ, FRAME_SAMPLES, bit_rate=BIT_RATE, options=options)


CODEC = Opus()
