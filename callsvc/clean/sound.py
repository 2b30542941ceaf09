"""Sound files in pieces: any that PyAV reads; WAV, FLAC, Ogg, Opus, MP3 or M4A out."""

from __future__ import annotations

import errno
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

from callsvc.clean.errors import NotSound, TooLong, TooManyChannels, UnknownFormat, UnusualRate

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

RATES = range(4000, 768_001)
"""Beyond these a header is taken for broken: nothing that hears speech has such rates."""
MOST_CHANNELS = 32
PLANES = 8
MOST_PACKET_S = 1.0
"""A packet that cannot be decoded is not believed to be longer."""
MOST_WAV_BYTES = 2**32 - 1024
"""A WAV file tells its length in 32 bits."""


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
        if rate not in RATES:
            raise UnusualRate(path, rate)
        if channels > MOST_CHANNELS:
            raise TooManyChannels(path.suffix, channels, MOST_CHANNELS)
        self.shape = Shape(rate, channels, length if length and length > 0 else None)
        self.unread_s = 0.0
        """Sound that could not be decoded when the pieces were last read; there is silence in its place."""

    def pieces(self) -> Iterator[Float]:
        """The sound from the beginning, as (samples, channels). Raises NotSound when there is none at all."""
        self.unread_s = 0.0
        even = _Even(self.shape)
        heard = False
        try:
            with av.open(str(self.path)) as container:
                for packet in container.demux(audio=0):
                    try:
                        frames = packet.decode()
                    except av.error.FFmpegError:
                        lost = min(_seconds(packet.duration, packet.time_base) or 0.0, MOST_PACKET_S)
                        self.unread_s += lost
                        yield np.zeros((int(lost * self.shape.rate_hz), self.shape.channels), np.float32)
                        continue
                    for frame in frames:
                        heard = True
                        assert isinstance(frame, av.AudioFrame)
                        yield from even.take(frame)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            # What was heard until the file broke off is worth having.
            if not heard:
                raise NotSound(self.path) from error
        if not heard:
            raise NotSound(self.path)
        yield from even.rest()


class _Even:
    """Frames of whatever form, as the form that the file stated at first; within a file it may change."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._form: object = None
        self._even: av.AudioResampler | None = None

    def take(self, frame: av.AudioFrame) -> Iterator[Float]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._even is None or form != self._form:
            yield from self.rest()
            # The frame's own layout where it has as many channels: another of as many would mix them.
            alike = frame.layout.nb_channels == self._shape.channels
            layout = frame.layout if alike else _layout(self._shape.channels)
            self._even = av.AudioResampler(format="flt", layout=layout, rate=self._shape.rate_hz)
            self._form = form
        yield from self._through(frame)

    def rest(self) -> Iterator[Float]:
        if self._even is not None:
            yield from self._through(None)
            self._even = None

    def _through(self, frame: av.AudioFrame | None) -> Iterator[Float]:
        assert self._even is not None
        for out in self._even.resample(frame):
            # One plane and not one for each channel: PyAV reads beyond the planes of a frame with eight.
            yield out.to_ndarray().reshape(-1, self._shape.channels).astype(np.float32, copy=False)


class Sink(Protocol):
    """Takes sound, as (samples, channels), and makes a file of it."""

    def write(self, piece: Float) -> None:
        """The next samples."""

    def close(self) -> None:
        """The file is whole."""


def sink(path: Path, suffix: str, rate_hz: int, channels: int) -> Sink:
    """A file at `path`, of the format that the extension `suffix` names.

    Raises UnknownFormat, TooManyChannels where the format has not so many, OSError.
    """
    if suffix.lower() == ".wav":
        return _WavSink(path, rate_hz, channels)
    if suffix.lower() not in FORMATS:
        raise UnknownFormat(suffix)
    try:
        made = _CodedSink(path, FORMATS[suffix.lower()], rate_hz, channels)
        made.open()
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            raise
        raise TooManyChannels(suffix, channels) from error
    return made


class _WavSink:
    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self._file = wave.open(os.fspath(path), "wb")  # noqa: SIM115  closed in close()
        self._file.setnchannels(channels)
        self._file.setsampwidth(2)
        self._file.setframerate(rate_hz)
        self._left = MOST_WAV_BYTES

    def write(self, piece: Float) -> None:
        self._left -= 2 * piece.size
        if self._left < 0:
            raise TooLong
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

    def open(self) -> None:
        """Begin; what the codec cannot do shows here, and what PyAV cannot: frames of more planes than seven."""
        if self._sample.endswith("p") and self._stream.channels >= PLANES:
            raise ValueError(self._layout)
        self._stream.codec_context.open()

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
