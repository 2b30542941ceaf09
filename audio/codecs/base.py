"""What a codec is."""

from __future__ import annotations

from typing import Protocol

from audio.taps import Samples

FRAME_MS = 20


class Decoder(Protocol):
    """Turns the payloads of one stream into sound."""

    def decode(self, payload: bytes) -> Samples:
        """Sound of one payload at the codec's rate; raises `CodecError` for a payload that is none."""


class Encoder(Protocol):
    """Turns the sound of one stream into payloads."""

    def encode(self, samples: Samples) -> bytes:
        """One payload of exactly one frame."""


class Codec(Protocol):
    """One way to write sound down."""

    @property
    def name(self) -> str:
        """The encoding name in SDP (RFC 3551, RFC 7587)."""

    @property
    def rate_hz(self) -> int:
        """The rate of the sound itself."""

    @property
    def clock_hz(self) -> int:
        """The rate of the RTP timestamps; differs from the sound's for G722 (RFC 3551 section 4.5.2)."""

    @property
    def payload_type(self) -> int | None:
        """The static payload type, if it has one."""

    @property
    def latency(self) -> int:
        """Samples that encoding and decoding together hold back."""

    @property
    def frame_samples(self) -> int:
        """Samples in a frame of 20 ms."""

    def ticks(self, payload: bytes) -> int:
        """How long a payload lasts, on the RTP clock; 0 for one that makes no sense. Costs next to nothing."""

    def decoder(self) -> Decoder:
        """A new one, for one stream: it may remember what it has decoded."""

    def encoder(self) -> Encoder:
        """A new one, for one stream."""
