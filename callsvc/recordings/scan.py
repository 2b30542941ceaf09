"""Walking a segment file from its beginning for as long as the chain holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from audio.taps import Gap, GapCause
from callsvc.recordings.head import Head
from callsvc.recordings.layout import CAUSE_OF, HEADER_BYTES, WHOLE, Header, Kind, link, unpack
from callsvc.recordings.manifest import add_gap
from callsvc.recordings.source import Source

# Records are read from the source in blocks of this size.
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Placed:
    """A record's header and where its payload lies."""

    header: Header
    raw: bytes
    offset: int

    @property
    def payload_offset(self) -> int:
        return self.offset + HEADER_BYTES


class Window:
    """Reads ahead, so that walking a file costs few reads."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name
        self.size = source.size(name)
        self._at = 0
        self._held = b""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes; fewer at the end."""
        if not self._at <= offset or offset + length > self._at + len(self._held):
            self._at = offset
            self._held = self._source.read(self._name, offset, max(length, BLOCK))
        begin = offset - self._at
        return self._held[begin : begin + length]


@dataclass(slots=True)
class Walk:
    """How far the chain holds, and what it says until there."""

    link: bytes
    offset: int = 0
    placed: list[Placed] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    gaps: list[list[Gap]] = field(default_factory=list)
    ended: bool = False


def fits(header: Header, head: Head, samples: list[int]) -> bool:
    """Whether a record may follow: known kind and track, and no hole in the track's time."""
    if header.track == WHOLE:
        return header.kind in (Kind.EVENT, Kind.END)
    if header.track >= len(head.tracks):
        return False
    if header.kind in (Kind.SOUND, Kind.GAP):
        known = header.kind == Kind.SOUND or header.cause in CAUSE_OF
        return known and header.length > 0 and header.start == samples[header.track]
    return header.kind in (Kind.EVENT, Kind.PEAKS, Kind.MASKED)


def count(header: Header, samples: list[int], gaps: list[list[Gap]]) -> None:
    """Add a record that fits to what the tracks hold."""
    if header.kind in (Kind.SOUND, Kind.GAP):
        samples[header.track] = header.end
    if header.kind == Kind.GAP:
        add_gap(gaps[header.track], Gap(header.start, header.length, GapCause(CAUSE_OF[header.cause])))


def walk(source: Source, name: str, head: Head, genesis: bytes) -> Walk:
    """All records that are whole, follow each other and fit the head; stops at the first that does not."""
    found = Walk(genesis, samples=[0] * len(head.tracks), gaps=[[] for _ in head.tracks])
    for placed, whole in records(source, name):
        header = placed.header
        good = header.prev == found.link and header.n == len(found.placed) and not found.ended
        if not good or not fits(header, head, found.samples):
            break
        count(header, found.samples, found.gaps)
        found.placed.append(placed)
        found.link = link(whole)
        found.offset = placed.payload_offset + header.size
        found.ended = header.kind == Kind.END
    return found


def without_last(found: Walk, head: Head) -> Walk:
    """The same walk without its last record."""
    *kept, last = found.placed
    shorter = Walk(
        last.header.prev, last.offset, samples=[0] * len(head.tracks), gaps=[[] for _ in head.tracks]
    )
    for placed in kept:
        count(placed.header, shorter.samples, shorter.gaps)
    shorter.placed = kept
    return shorter


def records(source: Source, name: str, offset: int = 0) -> Iterator[tuple[Placed, bytes]]:
    """Each record with its place and its bytes, until something is no whole record."""
    window = Window(source, name)
    while offset < window.size:
        raw = window.read(offset, HEADER_BYTES)
        header = unpack(raw)
        if header is None:
            return
        whole = window.read(offset, HEADER_BYTES + header.size)
        if len(whole) < HEADER_BYTES + header.size:
            return
        yield Placed(header, raw, offset), whole
        offset += len(whole)
