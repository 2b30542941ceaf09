"""The receive path of one leg: packets in, sound out in time, each stretch with its place on the media clock.

    put(packet) ─► jitter buffer ─► decode / conceal ─► resample ─► pop() ─► Heard

Media time 0 is the moment given to `start`. The place of a frame is when it was sent, seen from here: its timestamp
against the fastest arrivals of late. What the jitter buffer does to playing changes no place. A sender whose clock runs
at another pace than ours drifts away from that: in pauses, milliseconds are left out or put in until it fits again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from audio import codecs
from audio.codecs import OPUS, Codec, Decoder
from audio.codecs.g711 import G711
from audio.codecs.opus import OpusDecoder
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
PATIENCE_FRAMES = 40
"""Frames to wait for a quiet one before a loud one is left out, or sound put in after it."""
ADRIFT_S = 0.004
"""How far a track may lie from where it should before it is moved, and how far it is moved at once."""
DRIFT_EVERY = 50
"""Frames between two moves."""
LOOK_EVERY = 10
"""Frames between two looks."""
DRIFT_PATIENCE = 500
"""Frames to wait for a quiet one before a track is moved under sound."""
SEAM_S = 1.0
"""How long a sender may take to go over to another codec."""


class Heard(NamedTuple):
    """A stretch of sound, ready to be played and recorded."""

    start: int | None
    """Its place on the media clock, in samples; None before media time begins, and for a stretch that was put in
    to wait for late packets."""
    samples: Samples
    cause: GapCause | None = None
    """Why the samples are made up; None when they are what was sent."""
    played: bool = True
    """False: recorded, but left out of what is played, to catch up."""
    lead: Samples | None = None
    """After a hole: what was made up, going on, to be faded out over the first samples when they are played."""


class _Stream:
    """One payload type's decoder and what follows it."""

    def __init__(self, codec: Codec, rate_hz: int) -> None:
        self.codec = codecs.at_rate(codec, rate_hz)
        self.decoder: Decoder = self.codec.decoder()
        self.own = self.decoder if isinstance(self.decoder, OpusDecoder) else None
        self.concealer = Concealer(self.codec.rate_hz, self.own.conceal if self.own else None)
        self.resampler = Resampler(self.codec.rate_hz, rate_hz) if self.codec.rate_hz != rate_hz else None
        self._ratio = rate_hz / self.codec.rate_hz

    @property
    def latency(self) -> int:
        return self.resampler.latency if self.resampler else 0

    def at_rate(self, samples: Samples) -> Samples:
        if self.resampler is None:
            return samples
        return rounded(self.resampler.process(samples.astype(np.float32)))

    def lead(self, out: Samples, lead: Samples) -> Samples:
        """What leads over into `out`, at its rate; what is still under way in the resampler stands before it."""
        if self.resampler is None:
            return lead
        places = np.arange(round(len(lead) * self._ratio)) / self._ratio
        finer = np.interp(places, np.arange(len(lead)), lead).astype(np.int16)
        return np.concatenate([out[: self.latency], finer])[: len(out)]


class Receiver:
    """Receives one leg's sound: any of the negotiated payload types in, `rate_hz` out."""

    def __init__(self, codecs: Mapping[int, Codec], rate_hz: int, depth: Depth | None = None) -> None:
        self.rate_hz = rate_hz
        self.undecodable = 0
        self.recovered = 0
        """Frames that were lost, and were found in the packet after them."""
        self._codecs = dict(codecs)
        self._depth = depth
        self._streams: dict[int, _Stream] = {}
        self._current: _Stream | None = None
        self._buffer: JitterBuffer | None = None
        self._started: float | None = None
        self._origin: int | None = None
        self._waited = 0
        self._adrift = 0
        self._moved = 0
        self.moves = 0
        """Times that the track was moved to follow the sender's clock."""
        self._end: int | None = None
        self._left_out: Samples | None = None
        self._leaving: tuple[JitterBuffer, int | None] | None = None
        """What was still to be played when the sender went over to a codec with another clock, and its place."""
        self._seam = False
        """Whether what comes next follows what came last with nothing missing between."""

    @property
    def counts(self) -> Counts:
        """What became of the packets."""
        return self._buffer.counts if self._buffer else Counts()

    @property
    def depth_s(self) -> float:
        """Seconds that a packet waits here at present."""
        return self._buffer.depth if self._buffer else 0.0

    @property
    def spare_s(self) -> float:
        """Seconds that what waits here may be played before its turn: the line has been calm, and needed less of late."""
        return self._buffer.spare if self._buffer else 0.0

    @property
    def begun(self) -> bool:
        """Whether anything has come that is to be played."""
        return self._buffer is not None

    def start(self, now: float) -> None:
        """Let media time begin."""
        self._started = now
        self._place()

    def deepen(self, depth: Depth) -> None:
        """Wait longer from now on: nobody listens in time, and the record should miss nothing that came."""
        self._depth = depth
        if self._buffer:
            self._buffer.deepen(depth)

    def agree(self, codecs: Mapping[int, Codec]) -> None:
        """Take these payload types, too: packets of those that were agreed on before may still be under way."""
        for number, codec in codecs.items():
            if self._codecs.get(number) is not codec:
                self._streams.pop(number, None)
                self._codecs[number] = codec

    def put(self, packet: Packet, now: float) -> bool:
        """Take one packet in; one of an unknown payload type keeps its place in the sequence and no more.

        Returns whether it belongs to the stream: it is no stray and no duplicate.
        """
        codec = self._codecs.get(packet.payload_type)
        ticks = codec.ticks(packet.payload) if codec else 0
        buffer = self._buffer
        if codec is not None and (buffer is None or buffer.clock_hz != codec.clock_hz):
            buffer = self._buffer = self._on_another_clock(codec.clock_hz, packet)
        if buffer is None:
            # A digit may come before any sound.
            return True
        if codec is None:
            silence = packet.payload_type == COMFORT_NOISE
        else:
            silence = codec is OPUS and len(packet.payload) <= OPUS_DTX_BYTES
        fate = buffer.put(packet, ticks, now, silence=silence)
        if fate is Fate.FIRST:
            self._place()
        return fate not in (Fate.STRAY, Fate.DUPLICATE)

    def _on_another_clock(self, clock_hz: int, packet: Packet) -> JitterBuffer:
        """A buffer for a stream that begins with this packet; what waits in the one before it is played first."""
        made = JitterBuffer(clock_hz, self._depth)
        if self._buffer is not None:
            made.counts = self._buffer.counts
            self._seam = self._buffer.followed_by(packet)
            self._leaving = self._buffer, self._origin
        return made

    def _place(self) -> None:
        """Find the timestamp at which media time began, for the stream that plays now."""
        if self._started is None or self._buffer is None:
            return
        self._origin = self._buffer.timestamp_at(self._started)

    def pop(self, now: float, *, together: bool = False) -> list[Heard]:
        """Everything that is due. `together`: frames of a telephone that follow one another may come as one stretch."""
        heard: list[Heard] = []
        buffer = self._buffer
        if buffer is None:
            return heard
        if self._leaving is not None and not self._play_out(now, heard):
            return heard
        run: list[Slot] = []
        while (slot := buffer.pop(now)) is not None:
            if together and self._follows(buffer, slot, run):
                run.append(slot)
                continue
            self._play_run(run, heard)
            self._play(buffer, slot, heard)
        self._play_run(run, heard)
        return heard

    def _play_out(self, now: float, heard: list[Heard]) -> bool:
        """Play what is due of the stream that was left; whether that is all of it."""
        assert self._leaving is not None
        (buffer, origin), following = self._leaving, self._origin
        self._origin = origin
        while buffer.waiting and (slot := buffer.pop(now)) is not None:
            self._play(buffer, slot, heard)
        self._origin = following
        if not buffer.waiting:
            self._leaving = None
        return self._leaving is None

    def _follows(self, buffer: JitterBuffer, slot: Slot, run: list[Slot]) -> bool:
        """Whether a slot needs nothing but to be decoded, right behind those of the run: nothing is to be made up, moved,
        left out or faded over."""
        stream, packet = self._current, slot.packet
        if (
            packet is None
            or stream is None
            or stream.resampler is not None
            or not isinstance(stream.codec, G711)
            or self._codecs.get(packet.payload_type) is not stream.codec
            or not packet.payload
            or stream.concealer.fills
            or self._left_out is not None
            or self._seam
            or self._origin is None
            or self._moved + len(run) + 1 >= DRIFT_EVERY
            or abs(buffer.surplus()) >= slot.ticks / buffer.clock_hz
        ):
            return False
        return not run or slot.timestamp == run[-1].timestamp + run[-1].ticks

    def _play_run(self, run: list[Slot], heard: list[Heard]) -> None:
        """Play slots that need nothing but to be decoded, all at once."""
        if not run:
            return
        stream, origin = self._current, self._origin
        assert stream is not None
        assert origin is not None
        samples = stream.decoder.decode(b"".join(slot.packet.payload for slot in run if slot.packet))
        at = 0
        for slot in run:
            stream.concealer.good(samples[at : at + slot.ticks])
            at += slot.ticks
        self._moved += len(run)
        self._waited = 0
        start = run[0].timestamp - origin
        self._end = start + len(samples)
        heard.append(Heard(start, samples))
        run.clear()

    def drain(self) -> list[Heard]:
        """Everything that is still waiting: at the end of a call, for the record."""
        heard: list[Heard] = []
        if self._leaving is not None:
            self._play_out(float("inf"), heard)
        if self._buffer is not None:
            for slot in self._buffer.drain():
                self._play(self._buffer, slot, heard)
        return heard

    def _play(self, buffer: JitterBuffer, slot: Slot, heard: list[Heard]) -> None:
        stream, samples, cause, lead = self._sound(slot)
        out = stream.at_rate(samples)
        if slot.inserted:
            heard.append(Heard(None, out, cause))
            return
        surplus, frame_s = buffer.surplus(), slot.ticks / buffer.clock_hz
        change = abs(surplus) >= frame_s and self._may(cause, samples)
        if abs(surplus) < frame_s:
            self._waited = 0
        start = None
        if self._origin is not None and self._started is not None:
            self._moved += 1
            if self._moved >= DRIFT_EVERY:
                self._follow(buffer, self._started, self._origin, cause, samples, heard)
            start = (slot.timestamp - self._origin) * self.rate_hz // stream.codec.clock_hz - stream.latency
            self._close_seam(start, heard)
            self._end = start + len(out)
        before = self._left_out if lead is None else stream.lead(out, lead)
        self._left_out = None
        if change and surplus > 0:
            # What comes next joins on where this would have begun.
            self._left_out = out[: stream.concealer.join * len(out) // max(1, len(samples))]
            heard.append(Heard(start, out, cause, played=False))
            buffer.skip()
            return
        heard.append(Heard(start, out, cause, lead=before))
        if change:
            buffer.wait()
            made = stream.concealer.hole if _loud(samples) else stream.concealer.silence
            heard.append(Heard(None, stream.at_rate(made(len(samples))), GapCause.SILENCE))

    def _close_seam(self, start: int, heard: list[Heard]) -> None:
        """Between two codecs of one sender lies the time that it took to go over, and nothing that was lost."""
        if self._seam:
            self._seam = False
            between = 0 if self._end is None else start - self._end
            if 0 < between <= round(SEAM_S * self.rate_hz):
                made_up = np.zeros(between, np.int16)
                heard.append(Heard(self._end, made_up, GapCause.SILENCE, played=False))

    def _may(self, cause: GapCause | None, samples: Samples) -> bool:
        """Whether a frame may be left out or put in here: in a pause, or when that was waited for long enough."""
        self._waited += 1
        if self._waited > PATIENCE_FRAMES or cause is not None or not _loud(samples):
            self._waited = 0
            return True
        return False

    def _follow(
        self,
        buffer: JitterBuffer,
        started: float,
        origin: int,
        cause: GapCause | None,
        samples: Samples,
        heard: list[Heard],
    ) -> None:
        """Move the track by some milliseconds when the sender's clock has drifted away from ours."""
        most = round(ADRIFT_S * buffer.clock_hz)
        off = buffer.timestamp_at(started) - origin
        if abs(off) < most:
            self._adrift = 0
            self._moved = DRIFT_EVERY - LOOK_EVERY
            return
        self._adrift += 1
        if cause is None and self._adrift < DRIFT_PATIENCE and _loud(samples):
            return
        self._adrift = self._moved = 0
        step = max(-most, min(most, off))
        self._origin = origin + step
        self.moves += 1
        if step < 0 and self._end is not None:
            # What follows lies later than it would have. Nothing is missing there: the sender's clock is slow.
            count = -step * self.rate_hz // buffer.clock_hz
            heard.append(Heard(self._end, np.zeros(count, np.int16), GapCause.SILENCE, played=False))

    def _sound(self, slot: Slot) -> tuple[_Stream, Samples, GapCause | None, Samples | None]:
        """What to play for a slot: decoded, found in the packet after it, or made up and then with its cause."""
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
                return stream, *self._good(stream, samples, count)
        else:
            stream = self._current or self._stream(next(iter(self._codecs)))
            count = slot.ticks * stream.codec.rate_hz // stream.codec.clock_hz
        if cause is GapCause.SILENCE:
            return stream, stream.concealer.silence(count), cause, None
        if stream.own and slot.next and self._codecs.get(slot.next.payload_type) is OPUS:
            found = stream.own.recover(slot.next.payload, count)
            if found is not None:
                self.recovered += 1
                return stream, *self._good(stream, found, count)
        return stream, stream.concealer.hole(count), cause, None

    @staticmethod
    def _good(stream: _Stream, samples: Samples, count: int) -> tuple[Samples, None, Samples | None]:
        if len(samples) != count:
            samples = np.concatenate([samples[:count], np.zeros(max(0, count - len(samples)), np.int16)])
        return samples, None, stream.concealer.good(samples)

    def _stream(self, payload_type: int) -> _Stream:
        stream = self._streams.get(payload_type)
        if stream is None:
            stream = self._streams[payload_type] = _Stream(self._codecs[payload_type], self.rate_hz)
        self._current = stream
        return stream

    def place_of(self, timestamp: int) -> int | None:
        """Where on the media clock the sound of this RTP timestamp lies; None while nobody can know."""
        if self._origin is None or self._buffer is None:
            return None
        ticks = self._buffer.unwrapped(timestamp) - self._origin
        return ticks * self.rate_hz // self._buffer.clock_hz


def _loud(samples: Samples) -> bool:
    """Whether a frame would be missed."""
    return bool(np.maximum.reduce(samples) >= QUIET_PEAK or np.minimum.reduce(samples) <= -QUIET_PEAK)
