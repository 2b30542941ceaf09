"""A leg on plain RTP over UDP, for phones and gateways on a trusted network.

Only the peer that the offer names is heard. Its address must be the offer's. Its port must be, too, unless nothing
comes from there while a stream comes from another: a phone behind an address translator sends from another port than
it names.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import secrets
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from audio import rtp
from audio.codecs import Codec
from audio.errors import BadPacket
from audio.rtp import Packet
from callsvc.clock import Clock, age_s
from callsvc.telephony import sdp
from callsvc.telephony.connection import Connection, SenderReport
from callsvc.telephony.errors import BadOffer, NodeFull
from callsvc.telephony.out import OutStream
from callsvc.telephony.sip import rtcp

RTCP_BYE = 203
REPORT_S = 5.0
LARGEST_BYTES = 2048
"""Of a datagram; what is longer is cut off, and no packet of ours to take."""
SO_TIMESTAMPNS: Final = 35
"""Linux: say beside each datagram when it came. Python has no name for it."""
STAMP: Final = struct.Struct("@qq")
BESIDE_BYTES: Final = 64
LONGEST_S: Final = 1.0
"""A datagram that seems to have lain longer came before the clock was set."""
TRANSLATED_AFTER_S = 0.2
"""How long the named port may say nothing until another one of the same address is believed."""
NOBODY: Final = bytes(16)
"""An address of no family: to connect to it is to be connected no longer. Python has no name for that either."""
Address = tuple[str, int]


def bye(ssrc: int) -> bytes:
    """An RTCP compound that ends a stream: an empty receiver report and a BYE (RFC 3550 sections 6.4.2, 6.6)."""
    source = ssrc.to_bytes(4, "big")
    return bytes([0x80, 201, 0, 1]) + source + bytes([0x81, RTCP_BYE, 0, 1]) + source


def is_bye(datagram: bytes) -> bool:
    """Whether an RTCP compound holds a BYE."""
    at = 0
    while at + 4 <= len(datagram) and datagram[at] >> 6 == rtp.VERSION:
        if datagram[at + 1] == RTCP_BYE:
            return True
        at += 4 + 4 * int.from_bytes(datagram[at + 2 : at + 4], "big")
    return False


class RtpSocket:
    """A bound UDP port; hands what comes to whoever took it over.

    asyncio's own transport does not tell when a datagram came, only when it was read; a loop that has much to do reads
    late. The system knows, and says how long a datagram has lain there.
    """

    def __init__(self, bound: socket.socket) -> None:
        self._bound = bound
        self._loop = asyncio.get_running_loop()
        self.local: Address = bound.getsockname()[:2]
        self.connection: RtpConnection | None = None
        self.closed = False
        with contextlib.suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._loop.add_reader(bound, self._read)

    def _read(self) -> None:
        try:
            data, beside, _, source = self._bound.recvmsg(LARGEST_BYTES, BESIDE_BYTES)
        except OSError:
            # Nothing there, or the peer's port is closed for now: the silence timeout decides what that means.
            return
        if self.connection:
            self.connection.datagram(data, source, _lain_s(beside))

    def send(self, data: bytes, peer: Address) -> None:
        """Put a datagram on the wire, at once; what cannot be sent is dropped."""
        try:  # noqa: SIM105  dearer by the packet
            self._bound.sendto(data, peer)
        except OSError:
            pass

    def hear_only(self, peer: Address) -> None:
        """Let the system drop what comes from anybody else, before it takes room from the peer's packets."""
        with contextlib.suppress(OSError):
            self._bound.connect(peer)

    def hear_all(self) -> None:
        """Let the system hand on what comes from anybody again: the peer is elsewhere, and has to be found."""
        ctypes.CDLL(None).connect(self._bound.fileno(), NOBODY, len(NOBODY))
        with contextlib.suppress(OSError):
            # With the peer goes a port that the system has chosen; one that was asked for stays.
            self._bound.bind(self.local)

    def close(self) -> None:
        """Let the port go; may be called twice."""
        if not self.closed:
            self.closed = True
            self.connection = None
            self._loop.remove_reader(self._bound)
            self._bound.close()


def _lain_s(beside: list[tuple[int, int, bytes]]) -> float:
    """How long ago the system took a datagram in, by what it says beside it; 0 where it says nothing."""
    for _, kind, stamp in beside:
        if kind == SO_TIMESTAMPNS and len(stamp) == STAMP.size:
            seconds, nanoseconds = STAMP.unpack(stamp)
            lain_s = age_s(seconds * 1_000_000_000 + nanoseconds)
            return lain_s if 0.0 < lain_s < LONGEST_S else 0.0
    return 0.0


class Ports:
    """The UDP ports that plain RTP may use: a range, taken in turn, or any that is free."""

    def __init__(self, host: str, first: int, last: int) -> None:
        self.host = host
        self._range = range(first, last + 1) if first else range(1)
        self._turn = 0

    async def bind(self) -> RtpSocket:
        """Take a free port; raises `NodeFull` when there is none."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        for port in self._in_turn():
            bound = socket.socket(family, socket.SOCK_DGRAM)
            bound.setblocking(False)
            try:
                bound.bind((self.host, port))
            except OSError:
                bound.close()
                continue
            return RtpSocket(bound)
        raise NodeFull("no free RTP port")

    def _in_turn(self) -> Iterator[int]:
        for _ in self._range:
            yield self._range[self._turn % len(self._range)]
            self._turn += 1


class RtpConnection(Connection):
    """One leg on plain RTP."""

    transport: ClassVar[str] = "rtp"

    def __init__(self, port: RtpSocket, peer: Address, codecs: Mapping[int, Codec], clock: Clock) -> None:
        out = OutStream(secrets.randbits(32), secrets.randbits(15), secrets.randbits(32))
        super().__init__(codecs, out, clock)
        self.foreign = 0
        """Datagrams from somebody who is not the peer."""
        self._named = peer
        self._peer = peer
        self._latched = False
        self._other: tuple[Address, float] | None = None
        self._port = port
        self.local: Address = port.local
        self.ready = True
        self._received = rtcp.Reception(self.codec.clock_hz)
        self._next_report: asyncio.TimerHandle | None = None
        self._last_sent: Packet | None = None
        self._octets = 0
        port.connection = self

    def datagram(self, data: bytes, source: Address, lain_s: float = 0.0) -> None:
        """Take what came to the port, so long ago."""
        if not self._is_peer(source[:2], data):
            self.foreign += 1
            return
        if rtp.is_rtcp(data):
            self.last_heard = self.clock.monotonic()
            self._take_reports(data)
            if is_bye(data):
                self._leave("hangup")
            return
        try:
            packet = rtp.parse(data)
        except BadPacket:
            self.malformed += 1
            return
        now = self.clock.monotonic() - lain_s
        if self._next_report:
            self._received.add(packet, now)
        self._heard(packet, now)

    def report_regularly(self) -> None:
        """Tell the peer each five seconds what came of its stream and what was sent of ours, on the port of the sound."""
        self._next_report = asyncio.get_running_loop().call_later(REPORT_S, self._report_now)

    def _report_now(self) -> None:
        self.report_regularly()
        block = self._received.block(self.clock.monotonic())
        stamp = rtcp.ntp(self.clock.utc_now().timestamp()) if self._last_sent else 0
        timestamp = self._last_sent.timestamp if self._last_sent else 0
        report = rtcp.Report(
            self._out.ssrc, stamp, timestamp, self._out.packets, self._octets, (block,) if block else ()
        )
        if not self._port.closed:
            self._port.send(rtcp.build(report, "callsvc"), self._peer)

    def _take_reports(self, data: bytes) -> None:
        for report in rtcp.parse(data):
            if report.ntp:
                self.sender_report = SenderReport(report.timestamp, report.unix_s)
                self._received.heard_of(report, self.clock.monotonic())
            for block in report.blocks:
                if block.ssrc == self._out.ssrc:
                    self.peer_loss = block.fraction_lost

    def _is_peer(self, source: Address, data: bytes) -> bool:
        if self._latched and source == self._peer:
            return True
        if source == self._named:
            self._peer, self._latched = source, True
            self._port.hear_only(source)
        if self._latched or source[0] != self._named[0]:
            return source == self._peer
        if not self._is_sound(data):
            return False
        now = self.clock.monotonic()
        if self._other is None or self._other[0] != source:
            self._other = (source, now)
        if now - self._other[1] >= TRANSLATED_AFTER_S:
            self._peer, self._latched = source, True
        return self._latched

    def _is_sound(self, data: bytes) -> bool:
        try:
            return rtp.parse(data).payload_type in self.codecs
        except BadPacket:
            return False

    def _transmit(self, packet: Packet) -> None:
        if not self._port.closed:
            self._last_sent = packet
            self._octets += len(packet.payload)
            self._port.send(rtp.build(packet), self._peer)

    def tell(self, message: Mapping[str, object]) -> None:
        """Plain RTP has no side channel."""

    async def close(self) -> None:
        self._left = True
        if self._next_report:
            self._next_report.cancel()
        if not self._port.closed:
            self._port.send(bye(self._out.ssrc), self._peer)
            self._port.close()


async def accept(offer: sdp.Offer, ports: Ports, clock: Clock) -> tuple[RtpConnection, str]:
    """Answer a plain RTP offer with the first codec of it that we speak."""
    if not sdp.same_family(offer.host, ports.host):
        raise BadOffer("the node has no address of that family")
    bound = await ports.bind()
    number, codec = next(iter(offer.codecs.items()))
    connection = RtpConnection(bound, (offer.host, offer.port), {number: codec}, clock)
    connection.report_regularly()
    host, port = connection.local
    return connection, sdp.plain(host, port, {number: codec}, secrets.randbits(31), offer.media)
