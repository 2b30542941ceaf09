"""AudioSocket's messages: a kind (1 byte), a length (2 bytes, big-endian), that many bytes.

Sound is 16-bit samples, little-endian, mono; the kind says the rate. There are no timestamps and no numbers. A
message of sound without a byte stands for one that was lost on Asterisk's way to us; sent back, it would end the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from audio.codecs.linear import Linear

HEADER_BYTES = 3


class Kind(IntEnum):
    """The kinds that mean something here."""

    HANGUP = 0x00
    ID = 0x01
    DTMF = 0x03
    SOUND_8K = 0x10
    SOUND_16K = 0x12
    SOUND_48K = 0x16
    ERROR = 0xFF


CODECS = {
    Kind.SOUND_8K: Linear(8000),
    Kind.SOUND_16K: Linear(16_000),
    Kind.SOUND_48K: Linear(48_000),
}
"""The rates that are spoken; Asterisk knows others (0x11 to 0x18), which have no use for speech."""
FORMATS = {"slin": Kind.SOUND_8K, "slin16": Kind.SOUND_16K, "slin48": Kind.SOUND_48K}
"""By the name that Asterisk gives the format."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came."""

    kind: int
    payload: bytes


class Reader:
    """Puts messages together from a stream that is cut anywhere. Keeps one unfinished message at most: 64 KiB."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Every message that is whole now."""
        self._rest += data
        at = 0
        while len(self._rest) - at >= HEADER_BYTES:
            start = at + HEADER_BYTES
            end = start + int.from_bytes(self._rest[at + 1 : start], "big")
            if end > len(self._rest):
                break
            yield Message(self._rest[at], bytes(self._rest[start:end]))
            at = end
        del self._rest[:at]

    @property
    def unfinished(self) -> int:
        """Bytes of a message that is not whole."""
        return len(self._rest)


def build(kind: int, payload: bytes = b"") -> bytes:
    """A message as it goes on the wire."""
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload
