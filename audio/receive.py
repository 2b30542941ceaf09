"""The receive path of one leg: packets in, sound out in time, each stretch with its place on the media clock.

    put(packet) ─► jitter buffer ─► decode / conceal ─► resample ─► pop() ─► Heard

Media time 0 is the moment given to `start`. The place of a frame is when it was sent, seen from here: its timestamp
against the fastest arrivals of late. What the jitter buffer does to playing changes no place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from audio.codecs import OPUS, Codec, Decoder
from audio.conceal import Concealer
from audio.errors import CodecError
from audio.jitter import Counts, Depth, Fate, JitterBuffer, Slot
from audio.resample import Resampler, rounded
from audio.rtp import Packet
from audio.taps import GapCause, Samples

COMFORT_NOISE = 13
"""Payload type of comfort noise (RFC 3389)."""
OPUS_DTX_BYTES = 2
"""An Opus packet this short says that the sender has gone silent (RFC 6716 section 2.1.9)."""
QUIET_PEAK = 164
"""-46 dBFS: a frame below this may be left out without being missed."""
PATIENCE_FRAMES = 250
"""Frames to wait for a quiet one before a loud one is left out."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of sound, ready to be played and recorded."""

    start: int | None
    """Its place on the media clock, in samples; None before media time begins, and for a stretch that was put in
    to wait for late packets."""
    samples: Samples
    cause: GapCause | None = None
    """Why the samples are made up; None when they are what was sent."""
    played: bool = True
    """False: recorded, but left out of what is played, to catch up."""


class _Stream:
    """One payload type's decoder and what follows it."""

    def __init__(self, codec: Codec, rate_hz: int) -> None:
        self.codec = codec
        self.decoder: Decoder = codec.decoder()
        self.concealer = Concealer(codec.rate_hz)
        self.resampler = Resampler(codec.rate_hz, rate_hz) if codec.rate_hz != rate_hz else None

    @property
    def latency(self) -> int:
        return self.resampler.latency if self.resampler else 0

    def at_rate(self, samples: Samples) -> Samples:
        if self.resampler is None:
            return samples
        return rounded(self.resampler.process(samples.astype(np.float32)))


class Receiver:
    """Receives one leg's sound: any of the negotiated payload types in, `rate_hz` out."""

    def __init__(self, codecs: Mapping[int, Codec], rate_hz: int, depth: Depth | None = None) -> None:
        self.rate_hz = rate_hz
        self.undecodable = 0
        self._codecs = dict(codecs)
        self._depth = depth
        self._streams: dict[int, _Stream] = {}
        self._current: _Stream | None = None
        self._buffer: JitterBuffer | None = None
        self._started: float | None = None
        self._origin: int | None = None
        self._waited = 0

    @property
    def counts(self) -> Counts:
        """What became of the packets."""
        return self._buffer.counts if self._buffer else Counts()

    @property
    def depth_s(self) -> float:
        """Seconds that a packet waits here at present."""
        return self._buffer.depth if self._buffer else 0.0

    def start(self, now: float) -> None:
        """Let media time begin."""
        self._started = now
        self._place()

    def deepen(self, depth: Depth) -> None:
        """Wait longer from now on: nobody listens in time, and the record should miss nothing that came."""
        self._depth = depth
        if self._buffer:
            self._buffer.deepen(depth)

    def put(self, packet: Packet, now: float) -> bool:
        """Take one packet in; one of an unknown payload type keeps its place in the sequence and no more.

        Returns whether it belongs to the stream: it is no stray and no duplicate.
        """
        codec = self._codecs.get(packet.payload_type)
        ticks = codec.ticks(packet.payload) if codec else 0
        buffer = self._buffer
        if codec is not None and (buffer is None or buffer.clock_hz != codec.clock_hz):
            counts = buffer.counts if buffer else Counts()
            buffer = self._buffer = JitterBuffer(codec.clock_hz, self._depth)
            buffer.counts = counts
        if buffer is None:
            return False
        if codec is None:
            silence = packet.payload_type == COMFORT_NOISE
        else:
            silence = codec is OPUS and len(packet.payload) <= OPUS_DTX_BYTES
        fate = buffer.put(packet, ticks, now, silence=silence)
        if fate is Fate.FIRST:
            self._place()
        return fate not in (Fate.STRAY, Fate.DUPLICATE)

    def _place(self) -> None:
        """Find the timestamp at which media time began, for the stream that plays now."""
        if self._started is None or self._buffer is None:
            return
        clock_hz = self._buffer.clock_hz
        self._origin = round((self._started - self._buffer.base) * clock_hz)

    def pop(self, now: float) -> list[Heard]:
        """Everything that is due."""
        heard: list[Heard] = []
        buffer = self._buffer
        if buffer is None:
            return heard
        while (slot := buffer.pop(now)) is not None:
            heard.append(self._play(buffer, slot))
        return heard

    def drain(self) -> list[Heard]:
        """Everything that is still waiting: at the end of a call, for the record."""
        buffer = self._buffer
        return [] if buffer is None else [self._play(buffer, slot) for slot in buffer.drain()]

    def _play(self, buffer: JitterBuffer, slot: Slot) -> Heard:
        stream, samples, cause = self._sound(slot)
        start = None if slot.inserted else self._start_of(slot, stream)
        heard = Heard(start, stream.at_rate(samples), cause, not self._may_skip(buffer, slot, samples))
        if not heard.played:
            buffer.skip()
        return heard

    def _sound(self, slot: Slot) -> tuple[_Stream, Samples, GapCause | None]:
        cause = slot.cause
        if slot.packet is not None:
            stream = self._stream(slot.packet.payload_type)
            count = slot.ticks * stream.codec.rate_hz // stream.codec.clock_hz
            try:
                samples = stream.decoder.decode(slot.packet.payload)
            except CodecError:
                self.undecodable += 1
                cause = GapCause.LOSS
            else:
                if len(samples) != count:
                    samples = np.concatenate(
                        [samples[:count], np.zeros(max(0, count - len(samples)), np.int16)]
                    )
                stream.concealer.good(samples)
                return stream, samples, None
        else:
            stream = self._current or self._stream(next(iter(self._codecs)))
            count = slot.ticks * stream.codec.rate_hz // stream.codec.clock_hz
        if cause is GapCause.SILENCE:
            return stream, stream.concealer.silence(count), cause
        return stream, stream.concealer.hole(count), cause

    def _stream(self, payload_type: int) -> _Stream:
        stream = self._streams.get(payload_type)
        if stream is None:
            stream = self._streams[payload_type] = _Stream(self._codecs[payload_type], self.rate_hz)
        self._current = stream
        return stream

    def _start_of(self, slot: Slot, stream: _Stream) -> int | None:
        if self._origin is None:
            return None
        return (slot.timestamp - self._origin) * self.rate_hz // stream.codec.clock_hz - stream.latency

    def place_of(self, timestamp: int) -> int | None:
        """Where on the media clock the sound of this RTP timestamp lies; None while nobody can know."""
        if self._origin is None or self._buffer is None:
            return None
        ticks = self._buffer.unwrapped(timestamp) - self._origin
        return ticks * self.rate_hz // self._buffer.clock_hz

    def _may_skip(self, buffer: JitterBuffer, slot: Slot, samples: Samples) -> bool:
        """Whether this frame should be left out, because the buffer is deeper than it need be."""
        if slot.inserted or buffer.surplus() < slot.ticks / buffer.clock_hz:
            self._waited = 0
            return False
        self._waited += 1
        quiet = slot.packet is None or int(np.abs(samples.astype(np.int32)).max()) < QUIET_PEAK
        if quiet or self._waited > PATIENCE_FRAMES:
            self._waited = 0
            return True
        return False
