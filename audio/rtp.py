"""RTP packets (RFC 3550), read and written; and the wrap-around arithmetic of their counters."""

from __future__ import annotations

import struct
from typing import NamedTuple

from audio.errors import BadPacket

HEADER = struct.Struct("!BBHII")
VERSION = 2


class Packet(NamedTuple):
    """One RTP packet; padding and header extensions are not kept. A tuple, as thousands are made a second."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def parse(data: bytes) -> Packet:
    """Read a packet off the wire; raises `BadPacket` for anything that is not wholly one."""
    if len(data) < HEADER.size:
        raise BadPacket("too short")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise BadPacket("not version 2")
    start = HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise BadPacket("extension cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data)
    if first & 0x20:
        padding = data[-1]
        if padding == 0:
            raise BadPacket("padding of no bytes")
        end -= padding
    if start > end:
        raise BadPacket("shorter than its header says")
    return Packet(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


def build(packet: Packet) -> bytes:
    """Write a packet as it goes on the wire, with a plain twelve-byte header."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = HEADER.pack(VERSION << 6, second, packet.sequence, packet.timestamp, packet.ssrc)
    return header + packet.payload


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram on a shared port is RTCP (RFC 5761 section 4)."""
    return len(data) >= 8 and data[0] >> 6 == VERSION and 192 <= data[1] <= 223


class Unwrapper:
    """Makes a wrapping counter of `bits` bits a growing integer, by the nearest way round."""

    def __init__(self, bits: int) -> None:
        self._modulus = 1 << bits
        self._mask = self._modulus - 1
        self._half = self._modulus >> 1
        self._last: int | None = None

    def peek(self, value: int) -> int:
        """What `value` would unwrap to; nothing is remembered."""
        last = self._last
        if last is None:
            return value
        step = (value - last) & self._mask
        return last + step if step < self._half else last + step - self._modulus

    def advance(self, unwrapped: int) -> None:
        """A value that was unwrapped has come."""
        last = self._last
        if last is None or unwrapped > last:
            self._last = unwrapped

    def __call__(self, value: int) -> int:
        unwrapped = self.peek(value)
        self.advance(unwrapped)
        return unwrapped

    @property
    def last(self) -> int | None:
        """The highest value so far."""
        return self._last
