"""What a leg is sent: one RTP stream of our own, made of frames or of packets passed on.

A packet that is passed on keeps its payload byte for byte, and its place: sequence number and timestamp move by a
constant, so the listener sees a loss as a loss and a pause as a pause.
"""

from __future__ import annotations

from audio.rtp import Packet


class OutStream:
    """One outgoing SSRC. Begin the sequence in the lower half: SRTP takes a wrap in the first packets ill."""

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.packets = 0
        self._sequence = sequence
        self._timestamp = timestamp
        self._source: int | None = None
        self._sequence_shift = 0
        self._timestamp_shift = 0
        self._last_at = 0.0
        self._beside_at = 0

    def frame(self, payload_type: int, payload: bytes, ticks: int, now: float) -> Packet:
        """The next packet of a stream without pauses."""
        first = self.packets == 0 or self._source is not None
        self._source = None
        packet = Packet(payload_type, self._sequence, self._timestamp, self.ssrc, payload, first)
        self._sent(self._sequence, (self._timestamp + ticks) & 0xFFFFFFFF, now)
        return packet

    def forward(self, packet: Packet, payload_type: int, clock_hz: int, ticks: int, now: float) -> Packet:
        """A packet from elsewhere, as a packet of this stream."""
        if packet.ssrc != self._source:
            # Another source takes over: it goes on where the last one stopped, as much later as it really is.
            pause = round((now - self._last_at) * clock_hz) if self.packets else 0
            self._source = packet.ssrc
            self._sequence_shift = self._sequence - packet.sequence
            self._timestamp_shift = self._timestamp + max(0, pause - ticks) - packet.timestamp
        sequence = (packet.sequence + self._sequence_shift) & 0xFFFF
        timestamp = (packet.timestamp + self._timestamp_shift) & 0xFFFFFFFF
        forwarded = Packet(payload_type, sequence, timestamp, self.ssrc, packet.payload, packet.marker)
        if self.packets == 0 or (sequence - self._sequence) & 0xFFFF < 0x8000:
            self._sent(sequence, (timestamp + ticks) & 0xFFFFFFFF, now)
        else:
            self.packets += 1
        return forwarded

    def beside(self, packet: Packet, payload_type: int, begins: bool, now: float) -> Packet:
        """A packet from elsewhere that is no sound, in between the frames of this stream: a digit (RFC 4733), all of
        whose packets bear the time at which it began.
        """
        if begins:
            self._beside_at = self._timestamp
        made = Packet(payload_type, self._sequence, self._beside_at, self.ssrc, packet.payload, packet.marker)
        self._sent(self._sequence, self._timestamp, now)
        return made

    def omit(self, packet: Packet) -> None:
        """A packet of the source is not passed on: what follows closes up, so that it does not look lost."""
        if packet.ssrc == self._source:
            self._sequence_shift -= 1

    def _sent(self, sequence: int, timestamp: int, now: float) -> None:
        self.packets += 1
        self._sequence = (sequence + 1) & 0xFFFF
        self._timestamp = timestamp
        self._last_at = now
