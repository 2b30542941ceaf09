"""Sound of the demonstration call as arrays: float64 mono in [-1, 1]."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float64]


def read(path: Path, rate: int) -> Samples:
    """The whole file, all channels averaged, at `rate`."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        native = int(stream.rate or rate)
        convert = av.AudioResampler(format="fltp", layout="mono", rate=native)
        blocks = [
            frame.to_ndarray()[0] for part in container.decode(stream) for frame in convert.resample(part)
        ]
        blocks += [frame.to_ndarray()[0] for frame in convert.resample(None)]
    sound = np.concatenate(blocks).astype(np.float64) if blocks else np.zeros(0)
    return resample(sound, native, rate)


def write(path: Path, sound: Samples, rate: int) -> None:
    """A 16-bit mono WAV file; what is louder than full scale is cut."""
    whole = np.round(np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(whole.tobytes())


def resample(sound: Samples, source: int, target: int) -> Samples:
    """The same sound at another rate."""
    if source == target:
        return sound
    out: Samples = soxr.resample(sound, source, target, quality="VHQ")
    return out


def decibels(power: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """10 log10 of a power, with a floor of -140 dB."""
    return 10.0 * np.log10(np.maximum(power, 1e-14))
