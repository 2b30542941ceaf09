"""How a stretch of sound is coded in a segment: FLAC, or plain samples where that is shorter."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.taps import Samples
from callsvc.recordings.errors import Damaged
from callsvc.recordings.layout import Coding

# Below this many samples FLAC's own header outweighs what it saves.
FLAC_FROM_SAMPLES = 1024


def encode(samples: Samples, rate_hz: int) -> tuple[Coding, bytes]:
    """The shorter of a whole FLAC stream and plain little-endian samples; both lossless."""
    plain = np.ascontiguousarray(samples, dtype="<i2").tobytes()
    if len(samples) < FLAC_FROM_SAMPLES:
        return Coding.S16LE, plain
    target = io.BytesIO()
    soundfile.write(target, samples, rate_hz, format="FLAC", subtype="PCM_16")
    packed = target.getvalue()
    return (Coding.FLAC, packed) if len(packed) < len(plain) else (Coding.S16LE, plain)


def decode(coding: int, payload: bytes, length: int) -> Samples:
    """`length` samples back; raises `Damaged` when the payload holds another number of them."""
    if coding == Coding.S16LE:
        if len(payload) != 2 * length:
            raise Damaged("A stretch of sound is not as long as its header says.")
        found: NDArray[np.int16] = np.frombuffer(payload, dtype="<i2").astype(np.int16)
    elif coding == Coding.FLAC:
        try:
            found, _rate = soundfile.read(io.BytesIO(payload), dtype="int16")
        except soundfile.LibsndfileError:
            raise Damaged("A stretch of sound cannot be decoded.") from None
    else:
        raise Damaged("A stretch of sound is coded in an unknown way.")
    if len(found) != length:
        raise Damaged("A stretch of sound is not as long as its header says.")
    return found
