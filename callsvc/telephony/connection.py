"""One leg's connection to the node, whatever carries it.

What is common to WebRTC and plain RTP: which codecs were agreed, packets in to a listener, frames and packets out,
messages on a side channel where there is one.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from audio.codecs import Codec
from audio.rtp import Packet
from callsvc.clock import Clock
from callsvc.telephony.out import OutStream

NTP_UNIX_S = 2_208_988_800
"""Seconds from NTP's epoch to Unix's."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a peer's RTCP says of its own stream: this RTP timestamp was spoken at this time of its wall clock."""

    timestamp: int
    unix_s: float


class Listener(Protocol):
    """Who is told what a connection does. Called from the event loop, never after `on_left`."""

    def on_ready(self) -> None:
        """Sound can flow."""

    def on_packet(self, packet: Packet, now: float) -> None:
        """A packet came from the peer."""

    def on_channel(self) -> None:
        """Messages can flow."""

    def on_message(self, message: Mapping[str, object]) -> None:
        """A message came on the side channel: a JSON object."""

    def on_left(self, cause: str) -> None:
        """The peer is gone: `hangup` when it said so, `closed` when its connection was closed without a word,
        `failed` when it broke."""


class Connection(ABC):
    """A connection that was agreed on; made by an `accept` of one of the transports."""

    transport: ClassVar[str]
    may_return: ClassVar[bool] = False
    """Whether a peer that closed, or whose connection broke, may come back with another one."""

    def __init__(self, codecs: Mapping[int, Codec], out: OutStream, clock: Clock) -> None:
        self._speak(codecs)
        self.clock = clock
        self.ready = False
        self.last_heard = clock.monotonic()
        self.malformed = 0
        self.sender_report: SenderReport | None = None
        """The newest of the peer's."""
        self.peer_loss = 0.0
        """The share of our packets that the peer misses, by its last report."""
        self.on_digit: Callable[[str], None] | None = None
        """Told of each key that the peer presses on its telephone."""
        self.on_recoded: Callable[[], None] | None = None
        """Told when other codecs have been agreed on in the middle of a call."""
        self._out = out
        self._listener: Listener | None = None
        self._left = False

    def _speak(self, codecs: Mapping[int, Codec]) -> None:
        self._numbers = {codec.name: number for number, codec in reversed(list(codecs.items()))}
        self.codecs = codecs
        """By payload type, the preferred one first."""
        self._codec = next(iter(codecs.values()))

    def recode(self, codecs: Mapping[int, Codec]) -> None:
        """The peer speaks these from now on."""
        before = self._codec.clock_hz
        self._speak(codecs)
        if self._codec.clock_hz != before:
            # A stream keeps its clock (RFC 7160): what follows is another one.
            self._out = OutStream(secrets.randbits(32), secrets.randbits(15), secrets.randbits(32))
        if self.on_recoded and not self._left:
            self.on_recoded()

    @property
    def codec(self) -> Codec:
        """The preferred codec: what this leg is sent."""
        return self._codec

    @property
    def held(self) -> bool:
        """Whether the peer said that it sends nothing for now."""
        return False

    @property
    def takes_digits(self) -> bool:
        """Whether the peer can be sent the digits of a telephone's keys."""
        return False

    def press(self, digit: str) -> bool:
        """Send a digit; False when it cannot be, or too many wait."""
        return False

    def payload_type(self, codec: Codec) -> int | None:
        """Under which number the peer takes this codec, if it does."""
        return self._numbers.get(codec.name)

    def listen(self, listener: Listener) -> None:
        """Tell this listener from now on; if sound can flow already it is told at once."""
        self._listener = listener
        if self.ready:
            listener.on_ready()

    def unlisten(self, listener: Listener) -> None:
        """Tell this listener nothing from now on; one that has taken its place goes on being told."""
        if self._listener is listener:
            self._listener = None

    def timestamp_at(self, unix_ms: float) -> int | None:
        """The RTP timestamp that was spoken at this time of the peer's wall clock; None before its first report."""
        report = self.sender_report
        if report is None:
            return None
        return report.timestamp + round((unix_ms / 1000 - report.unix_s) * self._codec.clock_hz) & 0xFFFFFFFF

    def send_frame(self, codec: Codec, payload: bytes) -> None:
        """Send the next 20 ms of a stream."""
        number = self.payload_type(codec)
        if number is not None:
            ticks = codec.clock_hz // 50
            self._transmit(self._out.frame(number, payload, ticks, self.clock.monotonic()))

    def forward(self, packet: Packet, codec: Codec) -> None:
        """Pass a packet on that came from another leg; the payload is not touched."""
        number = self.payload_type(codec)
        if number is None:
            self._out.omit(packet)
            return
        ticks = codec.ticks(packet.payload)
        self._transmit(self._out.forward(packet, number, codec.clock_hz, ticks, self.clock.monotonic()))

    def omit(self, packet: Packet) -> None:
        """A packet of a stream that is passed on stays here."""
        self._out.omit(packet)

    def beside(self, packet: Packet) -> None:  # noqa: B027  not every connection can
        """A packet without sound of the other leg's (a digit), beside frames that are made here."""

    @abstractmethod
    def _transmit(self, packet: Packet) -> None:
        """Put a packet on the wire, at once; what cannot be sent is dropped."""

    @abstractmethod
    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message on the side channel, if there is one and it is not choked."""

    @abstractmethod
    async def close(self) -> None:
        """Say goodbye and let everything go; may be called twice."""

    def _become_ready(self) -> None:
        if not self.ready and not self._left:
            self.ready = True
            if self._listener:
                self._listener.on_ready()

    def _heard(self, packet: Packet, now: float | None = None) -> None:
        if now is None:
            now = self.clock.monotonic()
        self.last_heard = now
        if self._listener and not self._left:
            self._listener.on_packet(packet, now)

    def _message(self, message: Mapping[str, object]) -> None:
        self.last_heard = self.clock.monotonic()
        if self._listener and not self._left:
            self._listener.on_message(message)

    def _pressed(self, digit: str) -> None:
        if self.on_digit and not self._left:
            self.on_digit(digit)

    def _leave(self, cause: str) -> None:
        if not self._left:
            self._left = True
            if self._listener:
                self._listener.on_left(cause)
