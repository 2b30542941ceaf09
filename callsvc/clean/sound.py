"""Sound files in pieces: any that PyAV reads; WAV, FLAC, Ogg, Opus, MP3 or M4A out."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import av.error
import numpy as np
import soxr
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from callsvc.clean.errors import NotSound, UnknownFormat

Float = NDArray[np.float32]

# extension -> (container, codec, sample format, rates that the codec takes; none: any)
FORMATS: dict[str, tuple[str, str, str, tuple[int, ...]]] = {
    ".flac": ("flac", "flac", "s16", ()),
    ".ogg": ("ogg", "libopus", "flt", (8000, 12000, 16000, 24000, 48000)),
    ".opus": ("ogg", "libopus", "flt", (8000, 12000, 16000, 24000, 48000)),
    ".mp3": ("mp3", "libmp3lame", "fltp", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    ".m4a": ("ipod", "aac", "fltp", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
}
WRITABLE = (".wav", *FORMATS)
READABLE = frozenset(
    (
        *WRITABLE,
        ".wave",
        ".oga",
        ".aac",
        ".mp4",
        ".mka",
        ".mkv",
        ".webm",
        ".wma",
        ".aif",
        ".aiff",
        ".au",
        ".amr",
        ".3gp",
    )
)
"""Names taken for sound when a whole directory is cleaned. A file that is named itself may be called anything."""


@dataclass(frozen=True)
class Shape:
    """What a file holds."""

    rate_hz: int
    channels: int
    seconds: float | None
    """Its length as the file states it; None where it does not."""


class Source:
    """A sound file, read from the beginning as often as asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with av.open(str(path)) as container:
                if not container.streams.audio:
                    raise NotSound(path)
                stream = container.streams.audio[0]
                rate, channels = stream.rate, stream.channels
                length = _seconds(stream.duration, stream.time_base)
                if length is None and container.duration is not None:
                    length = container.duration / 1_000_000
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise NotSound(path) from error
        if not rate or not channels:
            raise NotSound(path)
        self.shape = Shape(rate, channels, length if length and length > 0 else None)

    def pieces(self) -> Iterator[Float]:
        """The sound from the beginning, as (samples, channels)."""
        layout = _layout(self.shape.channels)
        try:
            with av.open(str(self.path)) as container:
                even = av.AudioResampler(format="fltp", layout=layout, rate=self.shape.rate_hz)
                for frame in container.decode(audio=0):
                    for out in even.resample(frame):
                        yield np.ascontiguousarray(out.to_ndarray().T, np.float32)
                for out in even.resample(None):
                    yield np.ascontiguousarray(out.to_ndarray().T, np.float32)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise NotSound(self.path) from error


class Sink(Protocol):
    """Takes sound, as (samples, channels), and makes a file of it."""

    def write(self, piece: Float) -> None:
        """The next samples."""

    def close(self) -> None:
        """The file is whole."""


def sink(path: Path, suffix: str, rate_hz: int, channels: int) -> Sink:
    """A file at `path`, of the format that the extension `suffix` names. Raises UnknownFormat."""
    if suffix.lower() == ".wav":
        return _WavSink(path, rate_hz, channels)
    if suffix.lower() not in FORMATS:
        raise UnknownFormat(suffix)
    return _CodedSink(path, FORMATS[suffix.lower()], rate_hz, channels)


class _WavSink:
    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self._file = wave.open(os.fspath(path), "wb")  # noqa: SIM115  closed in close()
        self._file.setnchannels(channels)
        self._file.setsampwidth(2)
        self._file.setframerate(rate_hz)

    def write(self, piece: Float) -> None:
        self._file.writeframesraw(_words(piece).astype("<i2", copy=False).tobytes())

    def close(self) -> None:
        self._file.close()


class _CodedSink:
    def __init__(
        self, path: Path, form: tuple[str, str, str, tuple[int, ...]], rate_hz: int, channels: int
    ) -> None:
        container, codec, self._sample, rates = form
        self._rate = rate_hz if not rates or rate_hz in rates else max(rates)
        self._even = (
            soxr.ResampleStream(rate_hz, self._rate, channels, dtype="float32")
            if self._rate != rate_hz
            else None
        )
        self._layout = _layout(channels)
        self._file = av.open(os.fspath(path), "w", format=container)
        stream = self._file.add_stream(codec, rate=self._rate)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = self._sample
        self._written = 0

    def write(self, piece: Float, last: bool = False) -> None:
        if self._even is not None:
            piece = self._even.resample_chunk(piece if piece.shape[1] > 1 else piece[:, 0], last=last)
            piece = piece.reshape(-1, self._stream.channels)
        if not len(piece):
            return
        if self._sample == "s16":
            frame = av.AudioFrame.from_ndarray(_words(piece).reshape(1, -1), self._sample, self._layout)
        else:
            bounded = np.clip(piece, np.float32(-1), np.float32(1))
            flat = bounded.T if self._sample.endswith("p") else bounded.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(flat), self._sample, self._layout)
        frame.rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._written
        self._written += len(piece)
        self._file.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._even is not None:
            self.write(np.zeros((0, self._stream.channels), np.float32), last=True)
        self._file.mux(self._stream.encode(None))
        self._file.close()


def _words(piece: Float) -> NDArray[np.int16]:
    return np.clip(np.round(piece * 32768.0), -32768, 32767).astype(np.int16)


def _layout(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")


def _seconds(duration: int | None, base: Fraction | None) -> float | None:
    return float(duration * base) if duration is not None and base is not None else None
