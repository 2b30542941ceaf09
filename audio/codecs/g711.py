"""G.711, A-law and mu-law: one byte a sample, by table (ITU-T G.711).

Both laws split the magnitude into eight segments of sixteen equal steps; a segment's steps are twice
as wide as those of the one below. The tables are worked out from that once, at import.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.codecs.base import FRAME_MS
from audio.errors import CodecError
from audio.taps import Samples

RATE_HZ = 8000
ULAW_BIAS = 132


def _alaw_values() -> NDArray[np.int16]:
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 0x0F
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_values() -> NDArray[np.int16]:
    code = np.arange(256) ^ 0xFF
    segment, step = (code >> 4) & 7, code & 0x0F
    magnitude = (((step << 3) + ULAW_BIAS) << segment) - ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _nearest_codes(values: NDArray[np.int16]) -> NDArray[np.uint8]:
    """For each int16 (as uint16 index) the code whose value lies nearest; on a tie the larger magnitude."""
    order = np.argsort(values, kind="stable")
    levels = values[order].astype(np.int32)
    samples = np.arange(-32768, 32768)
    above = np.clip(np.searchsorted(levels, samples), 1, len(levels) - 1)
    to_lower, to_upper = samples - levels[above - 1], levels[above] - samples
    upper = (to_upper < to_lower) | ((to_upper == to_lower) & (samples > 0))
    codes = order[np.where(upper, above, above - 1)].astype(np.uint8)
    return np.roll(codes, -32768)


@dataclass(frozen=True, slots=True)
class _Law:
    """A pair of tables; its streams hold no state, so it is its own decoder and encoder."""

    values: NDArray[np.int16]
    codes: NDArray[np.uint8]

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise CodecError("empty payload")
        return self.values[np.frombuffer(payload, np.uint8)]

    def encode(self, samples: Samples) -> bytes:
        return self.codes[samples.view(np.uint16)].tobytes()

    def encode_rows(self, rows: Samples) -> list[bytes]:
        """A payload of each row."""
        length = rows.shape[1]
        run = self.codes[rows.view(np.uint16)].tobytes()
        return [run[at : at + length] for at in range(0, len(run), length)]


@dataclass(frozen=True, slots=True, eq=False)
class G711:
    """One of the two laws as a codec."""

    name: str
    payload_type: int
    law: _Law
    rate_hz: int = RATE_HZ
    clock_hz: int = RATE_HZ
    latency: int = 0
    frame_samples: int = RATE_HZ * FRAME_MS // 1000

    def ticks(self, payload: bytes) -> int:
        return len(payload)

    def decoder(self) -> _Law:
        return self.law

    def encoder(self) -> _Law:
        return self.law


def _law(values: NDArray[np.int16]) -> _Law:
    return _Law(values, _nearest_codes(values))


PCMA = G711("PCMA", 8, _law(_alaw_values()))
PCMU = G711("PCMU", 0, _law(_ulaw_values()))
