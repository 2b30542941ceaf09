"""The bytes of a segment file: numbered, chained records, one after the other.

    segments = record*        record = header (72 bytes) payload (header.size bytes)

    offset size
         0    4  magic "CSR1"
         4    1  kind     what the record is
         5    1  track    which of the head's tracks; 255 is the recording as a whole
         6    1  coding   how the plain payload is coded
         7    1  cause    of a gap; 0 otherwise
         8    4  n        number of the record, from 0
        12    4  size     bytes of payload that follow, the 16 bytes of tag included
        16    8  start    first sample, at the track's own rate
        24    8  length   samples
        32    8  salt     random, so that no nonce is ever used twice
        40   32  prev     link of the record before; the first has the SHA-256 of head.json

All numbers are unsigned and little-endian. A record's link is SHA-256 over header and payload. The whole is written
down in docs/reference/recording-format.md.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from audio.taps import GapCause

FORMAT: Final = "callsvc-recording"
VERSION: Final = 1

HEAD: Final = "head.json"
KEY: Final = "key.json"
SEGMENTS: Final = "segments"
INDEX: Final = "index"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
TIMESTAMP: Final = "manifest.tsr"
MASK: Final = "mask.json"
REACHED: Final = "reached"

SEALED_FILES: Final = (HEAD, KEY, SEGMENTS, INDEX, MANIFEST, SIGNATURE)
MAY_BE_THERE: Final = (TIMESTAMP, MASK)

MAGIC: Final = b"CSR1"
WHOLE: Final = 255
TAG_BYTES: Final = 16
_HEADER: Final = struct.Struct("<4sBBBBIIQQ8s32s")
HEADER_BYTES: Final = _HEADER.size
MAX_PAYLOAD: Final = 16 << 20

HEADERS: Final = np.dtype(
    [
        ("magic", "S4"),
        ("kind", "u1"),
        ("track", "u1"),
        ("coding", "u1"),
        ("cause", "u1"),
        ("n", "<u4"),
        ("size", "<u4"),
        ("start", "<u8"),
        ("length", "<u8"),
        ("salt", "V8"),
        ("prev", "V32"),
    ]
)
"""The same header as a numpy row, for reading an index of many at once."""


class Kind(IntEnum):
    """What a record holds."""

    SOUND = 1
    GAP = 2
    EVENT = 3
    PEAKS = 4
    END = 5
    MASKED = 6
    """Sound of a masked stretch, under the mask's key; it lies below a gap of the cause `mask`."""


class Coding(IntEnum):
    """How a record's payload is written."""

    NOTHING = 0
    FLAC = 1
    S16LE = 2
    JSON = 3
    PEAKS = 4


CAUSES: Final[dict[GapCause, int]] = {
    GapCause.LOSS: 1,
    GapCause.SILENCE: 2,
    GapCause.ABSENT: 3,
    GapCause.HOLD: 4,
    GapCause.MASK: 5,
    GapCause.MUTE: 6,
    GapCause.RECORDER: 7,
    GapCause.FAILURE: 8,
}
CAUSE_OF: Final = {number: cause for cause, number in CAUSES.items()}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a payload."""

    kind: int
    track: int
    coding: int
    cause: int
    n: int
    size: int
    start: int
    length: int
    salt: bytes
    prev: bytes

    def pack(self) -> bytes:
        return _HEADER.pack(
            MAGIC,
            self.kind,
            self.track,
            self.coding,
            self.cause,
            self.n,
            self.size,
            self.start,
            self.length,
            self.salt,
            self.prev,
        )

    @property
    def end(self) -> int:
        return self.start + self.length


def unpack(raw: bytes) -> Header | None:
    """The header in the first 72 bytes; None when these bytes cannot be one."""
    if len(raw) < HEADER_BYTES:
        return None
    magic, kind, track, coding, cause, n, size, start, length, salt, prev = _HEADER.unpack_from(raw)
    if magic != MAGIC or not TAG_BYTES <= size <= MAX_PAYLOAD:
        return None
    return Header(kind, track, coding, cause, n, size, start, length, salt, prev)


def link(record: bytes) -> bytes:
    """The digest of a whole record, which the next one carries as `prev`."""
    return hashlib.sha256(record).digest()
