"""Sound files: any format read in blocks through PyAV, WAV written as it comes."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av
import av.error
import numpy as np

from audio.errors import SoundFileError
from audio.taps import Samples


def blocks(path: Path, rate_hz: int, block_samples: int) -> Iterator[Samples]:
    """The file's first sound stream, mixed to mono, at `rate_hz`, in blocks; the last is filled with silence.

    Raises `SoundFileError` when there is no sound in it.
    """
    waiting = np.zeros(0, np.int16)
    for chunk in _chunks(path, rate_hz):
        waiting = np.concatenate([waiting, chunk])
        whole = len(waiting) - len(waiting) % block_samples
        for start in range(0, whole, block_samples):
            yield waiting[start : start + block_samples]
        waiting = waiting[whole:]
    if len(waiting):
        yield np.concatenate([waiting, np.zeros(block_samples - len(waiting), np.int16)])


def read(path: Path, rate_hz: int) -> Samples:
    """The whole file, mono, at `rate_hz`."""
    chunks = list(_chunks(path, rate_hz))
    return np.concatenate(chunks) if chunks else np.zeros(0, np.int16)


def _chunks(path: Path, rate_hz: int) -> Iterator[Samples]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundFileError("no sound stream")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
            for frame in container.decode(audio=0):
                for out in resampler.resample(frame):
                    yield out.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            for out in resampler.resample(None):
                yield out.to_ndarray().reshape(-1).astype(np.int16, copy=False)
    except (av.error.FFmpegError, OSError) as error:
        raise SoundFileError(type(error).__name__) from None


class WavWriter:
    """Writes mono int16 to a WAV file; what was written can be read even if it is never closed."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115  closed in close()
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(rate_hz)
        self.written = 0

    def write(self, samples: Samples) -> None:
        """Append sound; the header is brought up to date with it."""
        self._file.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())
        self.written += len(samples)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
