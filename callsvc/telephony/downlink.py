"""Caller to operator: passed on, never worked on.

Where both legs speak the caller's codec its packets go on as they come, at once, payload untouched; else the sound is
decoded and encoded, and nothing more. The recording listens beside it, through a receive path of its own.
"""

from __future__ import annotations

import numpy as np

from audio.codecs import Codec
from audio.conceal import ease_in
from audio.jitter import Depth
from audio.receive import Heard, Receiver
from audio.resample import Floats, Resampler, rounded
from audio.rtp import Packet
from audio.taps import Continuous, Samples
from callsvc.telephony.connection import Connection

RECORDING = Depth(start=0.300, least=0.300, most=0.300)


class Downlink:
    """One call's way from the caller to the operator."""

    def __init__(self, receiver: Receiver, caller: Connection, operator: Connection, tap: Continuous) -> None:
        self._receiver = receiver
        self._caller = caller
        self._operator = operator
        self._tap = tap
        self._after_hole = False
        self.forwards = all(operator.payload_type(codec) is not None for codec in caller.codecs.values())
        """Whether payloads are passed on bit for bit."""
        self._codec: Codec = operator.codec
        self._encoder = self._codec.encoder()
        self._resampler: Resampler | None = None
        if self.forwards:
            # The operator hears packets as they come; only the recording waits for what is late.
            receiver.deepen(RECORDING)
        else:
            self._resampler = Resampler(receiver.rate_hz, self._codec.rate_hz)
        self._outgoing: Floats = np.zeros(0, np.float32)

    def packet(self, packet: Packet) -> None:
        """A packet came from the caller: pass it on, if that is how it goes."""
        if not self.forwards:
            return
        codec = self._caller.codecs.get(packet.payload_type)
        if codec is not None:
            self._operator.forward(packet, codec)
        else:
            self._operator.omit(packet)

    def tick(self, now: float) -> None:
        """Record what is due, and send it where it cannot be passed on."""
        for heard in self._receiver.pop(now):
            self._record(heard)
            if not self.forwards and heard.played:
                self._send(heard)

    def _record(self, heard: Heard) -> None:
        if heard.start is None:
            return
        if heard.cause is None:
            self._tap.write(heard.start, heard.samples)
        else:
            self._tap.gap(heard.start, len(heard.samples), heard.cause)

    def _send(self, heard: Heard) -> None:
        assert self._resampler is not None
        samples: Samples = heard.samples
        if heard.cause is not None:
            self._after_hole = True
        elif self._after_hole:
            self._after_hole = False
            samples = ease_in(samples, self._receiver.rate_hz)
        resampled = self._resampler.process(samples.astype(np.float32))
        self._outgoing = np.concatenate([self._outgoing, resampled])
        frame = self._codec.frame_samples
        while len(self._outgoing) >= frame:
            payload = self._encoder.encode(rounded(self._outgoing[:frame]))
            self._outgoing = self._outgoing[frame:]
            self._operator.send_frame(self._codec, payload)

    def finish(self) -> None:
        """The call is over: what still waits is recorded."""
        for heard in self._receiver.drain():
            self._record(heard)
