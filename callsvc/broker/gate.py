"""The gate before the broker: what a client says first, read with bounds and checked.

amqtt ends the session of a known client as soon as somebody connects under its name, before it has seen a password,
reads packets of up to 256 MB from anybody, waits for ever for the first one, and never answers MQTT 5. So it only
ever meets clients that have come through here.
"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from typing import Final

CONNECT: Final = 0x10
MAX_CONNECT_BYTES: Final = 16 * 1024
PROTOCOL_LEVEL: Final = 4  # MQTT 3.1.1

# CONNACK return codes, MQTT 3.1.1 section 3.2.2.3
WRONG_VERSION: Final = 1
WRONG_PASSWORD: Final = 4


class Refused(Exception):
    """The client may not come in; `code` is what to answer, None for nothing: it does not speak MQTT."""

    def __init__(self, cause: str, code: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.code = code

    def answer(self) -> bytes:
        """A CONNACK without a session, or nothing."""
        return b"" if self.code is None else bytes([0x20, 2, 0, self.code])


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str

    def match(self, user: bytes | None, password: bytes | None) -> bool:
        """In a time that does not tell where they differ."""
        right_user = hmac.compare_digest(self.user.encode(), user or b"")
        return hmac.compare_digest(self.password.encode(), password or b"") and right_user


async def admit(reader: asyncio.StreamReader, credentials: Credentials) -> bytes:
    """Read one CONNECT and check it; its bytes, to be read again by the broker. Raises `Refused`."""
    try:
        first = await reader.readexactly(1)
        if first[0] != CONNECT:
            raise Refused("no_mqtt")
        length_bytes, length = await _remaining_length(reader)
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise Refused("cut_off") from None
    check(body, credentials)
    return first + length_bytes + body


async def _remaining_length(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    read = b""
    length = 0
    while True:
        byte = await reader.readexactly(1)
        length |= (byte[0] & 0x7F) << (7 * len(read))
        read += byte
        if length > MAX_CONNECT_BYTES or len(read) > 3:
            raise Refused("too_long")
        if byte[0] < 0x80:
            return read, length


def check(body: bytes, credentials: Credentials) -> None:
    """Check what follows the fixed header of a CONNECT (MQTT 3.1.1 section 3.1). Raises `Refused`."""
    fields = _Fields(body)
    if fields.text() not in (b"MQTT", b"MQIsdp"):
        raise Refused("no_mqtt")
    level, flags = fields.byte(), fields.byte()
    if level != PROTOCOL_LEVEL:
        raise Refused("version", WRONG_VERSION)
    if flags & 0x01:
        raise Refused("reserved_flag")
    fields.take(2)  # keep alive
    fields.text()  # client id
    if flags & 0x04:
        fields.text()  # topic of the will
        fields.text()  # the will
    user = fields.text() if flags & 0x80 else None
    password = fields.text() if flags & 0x40 else None
    if fields.left():
        raise Refused("left_over")
    if not credentials.match(user, password):
        raise Refused("password", WRONG_PASSWORD)


class _Fields:
    """Takes fields off the front of a packet; one that is too short raises `Refused`."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Refused("too_short")
        self._at += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def text(self) -> bytes:
        return self.take(int.from_bytes(self.take(2), "big"))

    def left(self) -> int:
        return len(self._body) - self._at
