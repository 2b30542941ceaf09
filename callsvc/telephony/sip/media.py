"""One leg's sound on a pair of ports: RTP as the plain leg has it, RTCP beside it, digits and comfort noise passed on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, cast

from audio import rtp
from audio.errors import BadPacket
from audio.rtp import Packet
from callsvc.clock import Clock
from callsvc.telephony.digits import STEP_S, Heard, ToPress, at_clock
from callsvc.telephony.errors import NodeFull
from callsvc.telephony.plain import Address, RtpConnection, RtpSocket
from callsvc.telephony.sip import metrics, rtcp
from callsvc.telephony.sip.description import COMFORT_NOISE, Description, Direction, Stream
from callsvc.types import Leg

REPORT_S = 5.0
ALIVE_S = 1.0
"""How often a leg on hold is said to be alive: it may send nothing."""
MUSIC_S = 0.2
"""After a pause of that length a telephone that holds plays no music; so long may sound be on its way as well."""


class ReportSocket(asyncio.DatagramProtocol):
    """The port for RTCP; one of its own, as telephones have it."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.connection: SipConnection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.connection:
            self.connection.reports(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A telephone without RTCP has that port closed."""


class Pair:
    """Two bound ports, one above the other."""

    def __init__(self, sound: RtpSocket, report: ReportSocket) -> None:
        assert report.transport is not None
        self.sound = sound
        self.report = report
        self.local: Address = sound.local

    def close(self) -> None:
        self.sound.close()
        if self.report.transport and not self.report.transport.is_closing():
            self.report.transport.close()


class Pairs:
    """The ports that telephones' legs may use: a range, taken in turn, or any that are free."""

    def __init__(self, host: str, first: int, last: int) -> None:
        self.host = host
        self._evens = range(first + first % 2, last, 2) if first else range(0)
        self._turn = 0

    async def bind(self) -> Pair:
        """Take a free pair; raises `NodeFull` when there is none."""
        loop = asyncio.get_running_loop()
        for sound, report in self._free():
            _, lower = await loop.create_datagram_endpoint(ReportSocket, sock=report)
            return Pair(RtpSocket(sound), lower)
        raise NodeFull("no free pair of RTP ports")

    def _free(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        for port in self._candidates():
            bound: list[socket.socket] = []
            try:
                sound = self._bound(port, bound)
                number = sound.getsockname()[1]
                if number % 2 or number == 65_535:
                    raise OSError
                report = self._bound(number + 1, bound)
            except OSError:
                for one in bound:
                    one.close()
                continue
            yield sound, report

    def _bound(self, port: int, bound: list[socket.socket]) -> socket.socket:
        one = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM)
        bound.append(one)
        one.setblocking(False)
        one.bind((self.host, port))
        return one

    def _candidates(self) -> Iterator[int]:
        if not self._evens:
            yield from [0] * 50
            return
        for _ in self._evens:
            yield self._evens[self._turn % len(self._evens)]
            self._turn += 1


class SipConnection(RtpConnection):
    """One leg of a call by SIP."""

    transport: ClassVar[str] = "sip"

    def __init__(self, leg: Leg, pair: Pair, remote: Description, stream: Stream, clock: Clock) -> None:
        self.leg = leg
        self.stream = stream
        self.remote = remote
        self.direction = remote.direction.mirrored
        self.digits: Callable[[Packet], None] | None = None
        """Who is told of the peer's digits."""
        self.numbers: dict[int, int] = {}
        """Packets without sound that this peer takes from the other leg: the other's payload type, and its own."""
        self.other_clock_hz = stream.codec.clock_hz
        """The clock of the other leg's digits."""
        self.live: Callable[[], None] | None = None
        """Told once when both parties are there."""
        self.bye: Callable[[str], bool] | None = None
        """Asked when the call is over: whether the sound is still needed."""
        self._pair = pair
        self._reception = rtcp.Reception(stream.codec.clock_hz)
        self._octets = 0
        self._last_out: Packet | None = None
        self._digit_from: int | None = None
        self._cause = ""
        self._presses = Heard()
        self._agreed_at = self._sounded_at = clock.monotonic()
        self._to_press = ToPress(stream.codec.clock_hz)
        self._pressing: asyncio.TimerHandle | None = None
        super().__init__(pair.sound, (remote.host, remote.port), stream.codecs, clock)
        pair.report.connection = self
        loop = asyncio.get_running_loop()
        self._reporting = loop.call_later(REPORT_S, self._report)
        self._living = loop.call_later(ALIVE_S, self._live)

    # What comes in.

    def datagram(self, data: bytes, source: Address, lain_s: float = 0.0) -> None:
        if not self._is_peer(source[:2], data):
            self.foreign += 1
            metrics.FOREIGN.inc()
            return
        if rtp.is_rtcp(data):
            self._take_reports(data)
            return
        try:
            packet = rtp.parse(data)
        except BadPacket:
            self.malformed += 1
            return
        now = self._sounded_at = self.clock.monotonic() - lain_s
        self._reception.add(packet, now)
        self._heard(packet, now)
        if packet.payload_type == self.stream.digits:
            if self.digits:
                self.digits(packet)
            if digit := self._presses.take(packet, now):
                self._pressed(digit)

    def reports(self, data: bytes, source: Address) -> None:
        """Something came to the port for RTCP."""
        if source[0] != self._named[0] or not rtp.is_rtcp(data):
            self.foreign += 1
            metrics.FOREIGN.inc()
            return
        self._take_reports(data)

    def _take_reports(self, data: bytes) -> None:
        # A BYE in it ends a stream and no call: a telephone says so when it is put on hold.
        now = self.last_heard = self.clock.monotonic()
        stamp = rtcp.ntp(self.clock.utc_now().timestamp())
        for report in rtcp.parse(data):
            if report.ssrc == self._reception.ssrc:
                self._reception.heard_of(report, now)
            for block in report.blocks:
                if block.ssrc == self._out.ssrc:
                    self.peer_loss = block.fraction_lost
                    metrics.LOSS.labels(self.leg.value, "out").observe(block.fraction_lost)
                    if (there_and_back := rtcp.round_trip_s(block, stamp)) is not None:
                        metrics.ROUND_TRIP.labels(self.leg.value).observe(there_and_back)

    # What goes out.

    def _transmit(self, packet: Packet) -> None:
        if self.direction.sends:
            self._octets += len(packet.payload)
            self._last_out = packet
            super()._transmit(packet)

    def omit(self, packet: Packet) -> None:
        number = self.numbers.get(packet.payload_type)
        if number is None:
            super().omit(packet)
            return
        # Digits and comfort noise of a stream that is passed on keep their place in it.
        now, clock_hz = self.clock.monotonic(), self.stream.codec.clock_hz
        self._transmit(self._out.forward(packet, number, clock_hz, 0, now))

    def beside(self, packet: Packet) -> None:
        """A packet of the other leg's digits, for a stream that is made here: byte for byte where the clock is the same."""
        number = self.numbers.get(packet.payload_type)
        if number is None or number == COMFORT_NOISE:
            return
        begins = packet.timestamp != self._digit_from
        self._digit_from = packet.timestamp
        payload = at_clock(packet.payload, self.other_clock_hz, self.stream.codec.clock_hz)
        moved = self._out.beside(packet._replace(payload=payload), number, begins, self.clock.monotonic())
        self._transmit(moved)

    @property
    def takes_digits(self) -> bool:
        return self.stream.digits is not None

    def press(self, digit: str) -> bool:
        """Send a digit beside the sound, for 100 ms; those that follow wait for it."""
        if not self.takes_digits or self._left or not self._to_press.add(digit):
            return False
        if self._pressing is None:
            self._press_on()
        return True

    def _press_on(self) -> None:
        self._pressing = None
        if self._left or not self._to_press:
            return
        self._pressing = asyncio.get_running_loop().call_later(STEP_S, self._press_on)
        step, number = self._to_press.next(), self.stream.digits
        if step is not None and number is not None:
            packet = Packet(number, 0, 0, 0, step.payload, step.begins)
            self._transmit(self._out.beside(packet, number, step.begins, self.clock.monotonic()))

    def _report(self) -> None:
        self._reporting = asyncio.get_running_loop().call_later(REPORT_S, self._report)
        now, at = self.clock.monotonic(), self.clock.utc_now().timestamp()
        block = self._reception.block(now)
        if block:
            metrics.LOSS.labels(self.leg.value, "in").observe(block.fraction_lost)
        stamp, timestamp = 0, 0
        if self._last_out is not None:
            stamp, timestamp = rtcp.ntp(at), self._last_out.timestamp
        report = rtcp.Report(
            self._out.ssrc, stamp, timestamp, self._out.packets, self._octets, (block,) if block else ()
        )
        port = self._pair.report.transport
        if port and not port.is_closing() and self.remote.rtcp_port:
            port.sendto(rtcp.build(report, "callsvc"), (self.remote.host, self.remote.rtcp_port))

    # What changes.

    def agree(self, remote: Description, stream: Stream | None = None) -> None:
        """The peer described itself anew: it is elsewhere, or on hold, or back, or speaks something else."""
        moved = (remote.host, remote.port) != (self.remote.host, self.remote.port)
        self.remote = remote
        self.direction = remote.direction.mirrored
        if moved and remote.direction is not Direction.NONE:
            self._named = self._peer = (remote.host, remote.port)
            self._latched = False
            self._other = None
            self._port.hear_all()
        self.last_heard = self._agreed_at = self.clock.monotonic()
        if stream is not None and stream != self.stream:
            self._change_to(stream)

    def _change_to(self, stream: Stream) -> None:
        clock_hz = stream.codec.clock_hz
        if clock_hz != self.stream.codec.clock_hz:
            self._reception = rtcp.Reception(clock_hz)
            self._to_press = ToPress(clock_hz)
            self._octets, self._last_out = 0, None
        same = dict(stream.codecs) == dict(self.codecs)
        self.stream = stream
        if not same:
            self.recode(stream.codecs)

    @property
    def held(self) -> bool:
        """Whether the peer has the other on hold and sends nothing: it said so, or plays no music while it hears nobody."""
        if self.remote.direction is not Direction.SENDS:
            return not self.remote.direction.sends
        # What was on its way when it put the other on hold is no music.
        music = self._sounded_at > self._agreed_at + MUSIC_S
        return not (music and self.clock.monotonic() < self._sounded_at + MUSIC_S)

    def _live(self) -> None:
        self._living = asyncio.get_running_loop().call_later(ALIVE_S, self._live)
        # Who puts the other on hold may send music, or nothing. A telephone that rings back says nothing either; who gives up
        # waiting says so (CANCEL).
        if self.remote.direction is not Direction.BOTH or self.live is not None:
            self.last_heard = self.clock.monotonic()

    def leave(self, cause: str) -> None:
        """The peer is gone: its dialog says so."""
        self._leave(cause)

    def tell(self, message: Mapping[str, object]) -> None:
        if message.get("t") == "bye":
            self._cause = str(message.get("cause", ""))
        elif self.live and message.get("state") == "live":
            live, self.live = self.live, None
            live()

    async def close(self) -> None:
        if self.bye is None or not self.bye(self._cause):
            self.release()

    def release(self) -> None:
        """Let the ports go."""
        self._left = True
        self._reporting.cancel()
        self._living.cancel()
        if self._pressing:
            self._pressing.cancel()
        self._pair.close()


def introduce(giver: SipConnection, taker: SipConnection) -> None:
    """Let the taker know under which numbers it hears what the giver sends beside its sound."""
    theirs, own = giver.stream, taker.stream
    numbers: dict[int, int] = {}
    if theirs.digits is not None and own.digits is not None:
        numbers[theirs.digits] = own.digits
    if theirs.comfort_noise and own.comfort_noise:
        numbers[COMFORT_NOISE] = COMFORT_NOISE
    taker.numbers, taker.other_clock_hz = numbers, theirs.codec.clock_hz
