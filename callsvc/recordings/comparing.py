"""What became of a segment file that is not the one that was sealed: record by record, against the sealed index."""

from __future__ import annotations

from dataclasses import dataclass, field

from callsvc.recordings.findings import Report, clock_time
from callsvc.recordings.layout import HEADER_BYTES, MAGIC, SEGMENTS, WHOLE, Header, link, unpack
from callsvc.recordings.scan import Window
from callsvc.recordings.source import Source


@dataclass(frozen=True, slots=True)
class Expected:
    """What the signed manifest says of the segment file: each record's header and link, and where it lay."""

    headers: list[Header]
    raw: list[bytes]
    links: list[bytes]

    @classmethod
    def of(cls, index: bytes, chain: bytes) -> Expected | None:
        """None when the index is not made of headers that a chain could have."""
        raw = [index[at : at + HEADER_BYTES] for at in range(0, len(index), HEADER_BYTES)]
        headers = [header for header in map(unpack, raw) if header is not None]
        if len(headers) != len(raw):
            return None
        return cls(headers, raw, [h.prev for h in headers[1:]] + [chain] if headers else [])

    def length(self, n: int) -> int:
        return HEADER_BYTES + self.headers[n].size


@dataclass(slots=True)
class _Found:
    intact: list[int] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)
    strange: list[tuple[int, int, int]] = field(default_factory=list)
    """Stretches that are no record of ours: offset, length, and the record that should have come there."""


def compare(source: Source, expected: Expected, tracks: list[tuple[str, int]], report: Report) -> None:
    """Add a finding for each record that was changed, moved, doubled or lost, and for what does not belong.

    `tracks` are (name, rate) in the order of the head.
    """
    found = _look(source, expected)
    known = set(found.intact) | found.changed | found.cut

    def where(n: int) -> dict[str, object]:
        header = expected.headers[n]
        if header.track == WHOLE or header.track >= len(tracks):
            return {"n": n, "track": "", "at": ""}
        name, rate = tracks[header.track]
        return {"n": n, "track": name, "at": clock_time(header.start / rate)}

    for n in sorted(found.changed):
        report.find("record_changed", **where(n))
    for n in sorted(found.cut):
        report.find("record_cut", **where(n))
    for offset, length, n in found.strange:
        replaced = n < len(expected.headers) and n not in known and length == expected.length(n)
        if replaced:
            known.add(n)
            report.find("record_changed", **where(n))
        else:
            report.find("bytes_strange", offset=offset, length=length)
    missing = [n for n in range(len(expected.headers)) if n not in known]
    for first, last in _runs(missing):
        if last == len(expected.headers) - 1:
            report.find("tail_missing", count=last - first + 1, **where(first))
        else:
            report.find("records_missing", count=last - first + 1, last=last, **where(first))
    highest = -1
    seen: set[int] = set()
    for n in found.intact:
        if n in seen:
            report.find("record_twice", **where(n))
        elif n < highest:
            report.find("record_moved", **where(n))
        seen.add(n)
        highest = max(highest, n)


def _look(source: Source, expected: Expected) -> _Found:
    """Walk the file by the headers that it should have."""
    by_header = {raw: n for n, raw in enumerate(expected.raw)}
    window = Window(source, SEGMENTS)
    found = _Found()
    at, due = 0, 0
    while at < window.size:
        raw = window.read(at, HEADER_BYTES)
        n = by_header.get(raw)
        if n is None:
            following = _next_header(window, at + 1, by_header)
            found.strange.append((at, following - at, due))
            at, due = following, due + 1
            continue
        whole = window.read(at, expected.length(n))
        if len(whole) < expected.length(n):
            found.cut.add(n)
            break
        if link(whole) == expected.links[n]:
            found.intact.append(n)
            at += len(whole)
        else:
            found.changed.add(n)
            behind = at + len(whole)
            if behind < window.size and window.read(behind, HEADER_BYTES) not in by_header:
                behind = _next_header(window, at + HEADER_BYTES, by_header)
            at = behind
        due = n + 1
    return found


def _next_header(window: Window, at: int, by_header: dict[bytes, int]) -> int:
    """Where the next header that belongs here begins; the end of the file when there is none."""
    step = 1 << 16
    while at < window.size:
        block = window.read(at, step + HEADER_BYTES)
        hit = block.find(MAGIC)
        while 0 <= hit < step:
            if block[hit : hit + HEADER_BYTES] in by_header:
                return at + hit
            hit = block.find(MAGIC, hit + 1)
        at += step
    return window.size


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Consecutive numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1] = (runs[-1][0], n)
        else:
            runs.append((n, n))
    return runs
