"""Caller to operator: passed on, never worked on.

Where both legs speak the caller's codec its packets go on as they come, at once, payload untouched; else the sound is
decoded and encoded, and nothing more. The recording listens beside it, through a receive path of its own.

While the operator listens to the last seconds again, or has the call on hold, frames are made here instead:

    packets ─► a receive path for the ear ─┐
    memory ─► recall, 6 dB lower ──────────┴─► sum ─► encode ─► operator
"""

from __future__ import annotations

import numpy as np

from audio import codecs
from audio.codecs import Codec, Encoder
from audio.codecs.opus import OpusEncoder
from audio.conceal import joined
from audio.jitter import Depth
from audio.receive import Heard, Receiver
from audio.resample import Floats, Resampler, rounded
from audio.rtp import Packet
from audio.taps import Continuous, GapCause
from callsvc.telephony.connection import Connection
from callsvc.telephony.recall import Recall
from callsvc.telephony.spans import Spans

RECORDING = Depth(start=0.300, least=0.300, most=0.300)
FRAME_S = 0.020
RECORD_EVERY_S = 0.2
"""How often the recording takes what waits for it, while the operator hears packets as they come: frames by the ten cost
much less than one by one, and nobody waits for them."""
RECALL_GAIN = np.float32(0.5)
"""Who speaks now is louder than who spoke."""
MOST_FRAMES = 5
"""Frames of living sound that may wait while frames are made."""
COVERING = (GapCause.MASK, GapCause.HOLD)


class Downlink:
    """One call's way from the caller to the operator."""

    def __init__(
        self, receiver: Receiver, caller: Connection, operator: Connection, tap: Continuous, spans: Spans
    ) -> None:
        self._tap = tap
        self._spans = spans
        self._due: float | None = None
        """When the next frame that is made here is to be sent; None while packets are passed on."""
        self._held = False
        self._recall: Recall | None = None
        self._record_at = 0.0
        self._connect(receiver, caller, operator)

    def _connect(self, receiver: Receiver, caller: Connection, operator: Connection) -> None:
        self._receiver = receiver
        self._caller = caller
        self._operator = operator
        self._apart = False
        """Whether the recording has the receive path to itself, and waits longer there than an ear would."""
        self._ear: Receiver | None = None
        self._agree()

    def _agree(self) -> None:
        """Find out how the caller's sound goes on, by what the two legs speak."""
        receiver, caller, operator = self._receiver, self._caller, self._operator
        self.forwards = all(operator.payload_type(codec) is not None for codec in caller.codecs.values())
        """Whether payloads are passed on bit for bit."""
        # Opus takes the caller's rate as it is.
        self._codec: Codec = (
            caller.codec if self.forwards else codecs.at_rate(operator.codec, receiver.rate_hz)
        )
        self._encoder: Encoder | None = None
        self._resampler: Resampler | None = None
        if not self._apart:
            if self.forwards:
                # The operator hears packets as they come; only the recording waits for what is late.
                self._apart = True
                receiver.deepen(RECORDING)
            else:
                self._resampler = Resampler(receiver.rate_hz, self._codec.rate_hz)
        self._outgoing: Floats = np.zeros(0, np.float32)

    def reconnect(self, receiver: Receiver, caller: Connection, operator: Connection, now: float) -> None:
        """A leg came back over another connection."""
        self.catch_up(now)
        self._recall = None
        self._connect(receiver, caller, operator)
        self._settle(now)

    def recode(self, now: float) -> None:
        """A leg speaks another codec from now on: pass on again what both speak, or begin to make frames."""
        self.catch_up(now)
        rate_hz = self.rate_hz
        self._agree()
        if self.rate_hz != rate_hz:
            self._recall = None
        self._ear = None
        self._settle(now)

    # What the operator asks for.

    def hold(self, on: bool, now: float) -> None:
        """Let the operator hear nothing of the caller, or hear it again."""
        self._held = on
        self._settle(now)

    def recall(self, recall: Recall | None, now: float) -> None:
        """Play this to the operator, or stop."""
        self._recall = recall
        self._settle(now)

    @property
    def rate_hz(self) -> int:
        """Rate of what the operator is sent."""
        return self._codec.rate_hz

    @property
    def recalling(self) -> Recall | None:
        return self._recall

    def _settle(self, now: float) -> None:
        made = self._held or self._recall is not None
        if made and self._due is None:
            self._due = now
            self._outgoing = self._outgoing[:0]
        elif not made:
            self._due = None
        if not self._apart or self._passes_on:
            self._ear = None
        elif self._ear is None:
            self._ear = Receiver(self._caller.codecs, self._codec.rate_hz)

    @property
    def _passes_on(self) -> bool:
        """Whether packets go on as they come at present."""
        return self.forwards and self._due is None

    # What flows.

    def packet(self, packet: Packet, now: float) -> None:
        """A packet came from the caller: pass it on, if that is how it goes."""
        codec = self._caller.codecs.get(packet.payload_type)
        if self._passes_on:
            if codec is not None:
                self._operator.forward(packet, codec)
            else:
                self._operator.omit(packet)
            return
        if self._ear is not None:
            self._ear.put(packet, now)
        if codec is None and not self._held:
            self._operator.beside(packet)

    def tick(self, now: float) -> None:
        """Record what is due, and send it where it cannot be passed on."""
        if self._passes_on and not self._spans:
            if now >= self._record_at:
                self._record_at = now + RECORD_EVERY_S
                self.catch_up(now)
            return
        for heard in self._receiver.pop(now):
            self._record(heard)
            if not self._apart and heard.played:
                self._wait(heard)
        if self._ear:
            for heard in self._ear.pop(now):
                if heard.played:
                    self._wait(heard)
        if self._due is not None:
            self._make(now)
        elif not self.forwards:
            self._send_whole_frames()

    def catch_up(self, now: float) -> None:
        """Let the recording have what is due by now; for who is about to change what is done with it."""
        if self._apart:
            for heard in self._receiver.pop(now, together=not self._spans):
                self._record(heard)

    def _record(self, heard: Heard) -> None:
        if heard.start is None:
            return
        cause = heard.cause
        if self._spans:
            at_ms = heard.start * 1000 // self._receiver.rate_hz
            cause = next((one for one in COVERING if self._spans.over(one, at_ms)), cause)
            if cause is GapCause.LOSS and self._spans.over(GapCause.ABSENT, at_ms):
                cause = GapCause.ABSENT
        if cause is None:
            self._tap.write(heard.start, heard.samples)
        elif cause is GapCause.MASK:
            self._tap.masked(heard.start, heard.samples)
        else:
            self._tap.gap(heard.start, len(heard.samples), cause)

    def _wait(self, heard: Heard) -> None:
        sound: Floats = joined(heard.samples, heard.lead).astype(np.float32)
        if self._resampler:
            sound = self._resampler.process(sound)
        self._outgoing = np.concatenate([self._outgoing, sound]) if len(self._outgoing) else sound

    def _send_whole_frames(self) -> None:
        frame = self._codec.frame_samples
        while len(self._outgoing) >= frame:
            self._send(self._outgoing[:frame])
            self._outgoing = self._outgoing[frame:]

    def _send(self, frame: Floats) -> None:
        if self._encoder is None:
            self._encoder = self._codec.encoder()
        self._operator.send_frame(self._codec, self._encoder.encode(rounded(frame)))

    def _make(self, now: float) -> None:
        """Send the frames that are due: what is heard now, and what is played again."""
        count = self._codec.frame_samples
        if self._due is not None:
            self._due = max(self._due, now - MOST_FRAMES * FRAME_S)
        while self._due is not None and self._due <= now:
            self._due += FRAME_S
            frame: Floats = np.zeros(count, np.float32)
            live = self._outgoing[:count]
            self._outgoing = self._outgoing[count:][-MOST_FRAMES * count :]
            if not self._held:
                frame[: len(live)] = live
            if self._recall:
                frame += RECALL_GAIN * self._recall.take(count)
                if self._recall.over:
                    self._recall = None
                    self._settle(now)
            self._send(frame)

    def adapt(self) -> None:
        """Let the encoder, if there is one, know what the operator misses."""
        if isinstance(self._encoder, OpusEncoder):
            self._encoder.expect_loss(self._operator.peer_loss)

    def finish(self) -> None:
        """The call is over: what still waits is recorded."""
        for heard in self._receiver.drain():
            self._record(heard)
