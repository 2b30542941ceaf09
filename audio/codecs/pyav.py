"""Streams of samples and payloads through PyAV's codecs."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import av.error
import numpy as np

from audio.errors import CodecError
from audio.taps import Samples


class PyavDecoder:
    """Decodes the payloads of one stream, mono."""

    def __init__(self, codec: str, rate_hz: int) -> None:
        self._context = cast(av.AudioCodecContext, av.CodecContext.create(codec, "r"))
        self._context.sample_rate = rate_hz
        self._context.layout = "mono"
        self._context.format = "s16"

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise CodecError("empty payload")
        try:
            frames = self._context.decode(av.Packet(payload))
        except (av.error.FFmpegError, ValueError) as error:
            raise CodecError(type(error).__name__) from None
        if not frames:
            raise CodecError("no sound in the payload")
        sound = [np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples) for frame in frames]
        return sound[0].copy() if len(sound) == 1 else np.concatenate(sound)


class PyavEncoder:
    """Encodes the frames of one stream, mono; the codec must give one payload a frame."""

    def __init__(
        self,
        codec: str,
        rate_hz: int,
        frame_samples: int,
        *,
        bit_rate: int = 0,
        options: dict[str, str] | None = None,
    ) -> None:
        context = cast(av.AudioCodecContext, av.CodecContext.create(codec, "w"))
        context.sample_rate = rate_hz
        context.layout = "mono"
        context.format = "s16"
        context.time_base = Fraction(1, rate_hz)
        if bit_rate:
            context.bit_rate = bit_rate
        context.options = options or {}
        self._context = context
        self._frame_samples = frame_samples
        self._rate_hz = rate_hz
        self._position = 0

    def encode(self, samples: Samples) -> bytes:
        if len(samples) != self._frame_samples:
            raise CodecError(f"a frame has {self._frame_samples} samples, not {len(samples)}")
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
        frame.planes[0].update(np.ascontiguousarray(samples, np.int16).tobytes())
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self._position
        self._position += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))
