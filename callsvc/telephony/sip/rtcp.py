"""RTCP's sender and receiver reports (RFC 3550 section 6.4), and the figures that they hold (appendix A)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from audio.rtp import VERSION, Packet, Unwrapper

SENDER, RECEIVER, DESCRIPTION = 200, 201, 202
NTP_EPOCH_S = 2_208_988_800
"""From 1900 to 1970."""
BLOCK_BYTES = 24
MAX_BLOCKS = 31
_HEADER = struct.Struct("!BBHI")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IB3sIIII")


@dataclass(frozen=True, slots=True)
class Block:
    """What one side heard of the other's stream."""

    ssrc: int
    fraction_lost: float
    lost: int
    highest: int
    jitter: int
    """In ticks of the stream's clock."""
    last_report: int
    """The middle of the last sender report's NTP time; 0 when there was none."""
    delay: int
    """Since that report came, in 1/65536 s."""


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report, or a receiver report: then `ntp` is 0."""

    ssrc: int
    ntp: int
    """64 bits: seconds since 1900, and their fraction."""
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[Block, ...]

    @property
    def unix_s(self) -> float:
        return (self.ntp >> 32) - NTP_EPOCH_S + (self.ntp & 0xFFFFFFFF) / 2**32


def ntp(unix_s: float) -> int:
    """A time of day as NTP counts it."""
    return int((unix_s + NTP_EPOCH_S) * 2**32)


def middle(stamp: int) -> int:
    """The middle 32 of 64 bits: how reports name one another."""
    return stamp >> 16 & 0xFFFFFFFF


def build(report: Report, name: str) -> bytes:
    """A compound packet: the report, and who sends it."""
    blocks = b"".join(
        _BLOCK.pack(
            one.ssrc,
            min(255, int(one.fraction_lost * 256)),
            (max(-(1 << 23), min((1 << 23) - 1, one.lost)) & 0xFFFFFF).to_bytes(3, "big"),
            one.highest & 0xFFFFFFFF,
            one.jitter & 0xFFFFFFFF,
            one.last_report,
            one.delay & 0xFFFFFFFF,
        )
        for one in report.blocks
    )
    info = b""
    if report.ntp:
        info = _SENDER.pack(
            report.ntp >> 32,
            report.ntp & 0xFFFFFFFF,
            report.timestamp,
            report.packets & 0xFFFFFFFF,
            report.octets & 0xFFFFFFFF,
        )
    kind = SENDER if report.ntp else RECEIVER
    length = (_HEADER.size + len(info) + len(blocks)) // 4 - 1
    head = _HEADER.pack(VERSION << 6 | len(report.blocks), kind, length, report.ssrc)
    item = b"\x01" + bytes([len(name)]) + name.encode("ascii") + b"\x00"
    chunk = report.ssrc.to_bytes(4, "big") + item
    chunk += bytes(-len(chunk) % 4)
    return (
        head
        + info
        + blocks
        + bytes([VERSION << 6 | 1, DESCRIPTION])
        + (len(chunk) // 4).to_bytes(2, "big")
        + chunk
    )


def parse(data: bytes) -> list[Report]:
    """The reports of a compound packet; what cannot be read ends it, silently."""
    reports: list[Report] = []
    at = 0
    while at + _HEADER.size <= len(data) and data[at] >> 6 == VERSION:
        first, kind, length, ssrc = _HEADER.unpack_from(data, at)
        end = at + 4 * (length + 1)
        if end > len(data):
            break
        if kind in (SENDER, RECEIVER):
            start = at + _HEADER.size + (_SENDER.size if kind == SENDER else 0)
            count = first & 0x1F
            if start + count * BLOCK_BYTES > end:
                break
            high = low = timestamp = packets = octets = 0
            if kind == SENDER:
                high, low, timestamp, packets, octets = _SENDER.unpack_from(data, at + _HEADER.size)
            blocks = tuple(_block(data, start + index * BLOCK_BYTES) for index in range(count))
            reports.append(Report(ssrc, high << 32 | low, timestamp, packets, octets, blocks))
        at = end
    return reports


def _block(data: bytes, at: int) -> Block:
    ssrc, fraction, lost, highest, jitter, last, delay = _BLOCK.unpack_from(data, at)
    return Block(ssrc, fraction / 256, int.from_bytes(lost, "big", signed=True), highest, jitter, last, delay)


class Reception:
    """What comes of one stream, counted as reports want it."""

    def __init__(self, clock_hz: int) -> None:
        self.ssrc: int | None = None
        self._clock_hz = clock_hz
        self._begin(None)

    def _begin(self, ssrc: int | None) -> None:
        self.ssrc = ssrc
        self._sequences = Unwrapper(16)
        self._first: int | None = None
        self._received = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._reported = (0, 0)
        self._sender = (0, 0.0)

    def add(self, packet: Packet, now: float) -> None:
        """A packet came."""
        if packet.ssrc != self.ssrc:
            self._begin(packet.ssrc)
        sequence = self._sequences(packet.sequence)
        if self._first is None:
            self._first = sequence
        self._received += 1
        transit = now * self._clock_hz - packet.timestamp
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < self._clock_hz:
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def heard_of(self, report: Report, now: float) -> None:
        """The sender's own report came."""
        if report.ntp:
            self._sender = (middle(report.ntp), now)

    def block(self, now: float) -> Block | None:
        """What is to be reported; None when nothing ever came."""
        highest = self._sequences.last
        if self.ssrc is None or highest is None or self._first is None:
            return None
        expected = highest - self._first + 1
        before = self._reported
        self._reported = (expected, self._received)
        step, came = expected - before[0], self._received - before[1]
        fraction = max(0.0, (step - came) / step) if step > 0 else 0.0
        last, at = self._sender
        delay = int((now - at) * 65536) if last else 0
        return Block(self.ssrc, fraction, expected - self._received, highest, int(self._jitter), last, delay)


def round_trip_s(block: Block, now_ntp: int) -> float | None:
    """Time there and back, out of what the peer says of our last report (RFC 3550 section 6.4.1)."""
    if not block.last_report:
        return None
    ticks = (middle(now_ntp) - block.last_report - block.delay) & 0xFFFFFFFF
    return ticks / 65536 if ticks < 60 * 65536 else None
