"""Checks all that there is of a call: each of its recordings, how they hang together, and whether one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callsvc.config import Settings
from callsvc.errors import CallsvcError
from callsvc.recordings import place
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.findings import Report, clock_time
from callsvc.recordings.head import Head, load_head
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.known import Known, known_recordings
from callsvc.recordings.layout import HEAD, TIMESTAMP
from callsvc.recordings.source import Source
from callsvc.recordings.timestamps import authority
from callsvc.recordings.verify import verify


@dataclass(frozen=True, slots=True)
class _Found:
    source: Source
    head: Head | None


def check_call(settings: Settings, call: str, keys: KeyRing | None) -> list[Report]:
    """A report for each recording of a call, and for each that the database knows of and that is nowhere.

    Raises `NoRecording` when nobody knows of any.
    """
    books = known_recordings(settings, call)
    known = books or {}
    try:
        found = [_Found(source, _head(source)) for source in place.of_call(settings, call)]
    except NoRecording:
        if not any(one.expected for one in known.values()):
            raise
        found = []
    heads = {str(one.head.recording): one.head for one in found if one.head is not None}
    reports = [_checked(settings, call, keys, one, known, heads) for one in found]
    if books is None:
        for report in reports:
            report.note("database_away")
    for recording, told in sorted(known.items()):
        if recording not in heads and told.expected:
            report = Report(recording, recording=recording, call=call)
            report.find("recording_missing", recording=recording)
            reports.append(report)
    return reports


def _checked(
    settings: Settings,
    call: str,
    keys: KeyRing | None,
    one: _Found,
    known: Mapping[str, Known],
    heads: Mapping[str, Head],
) -> Report:
    """A recording by itself, by the books, and beside the call's others, whose heads these are."""
    recording = str(one.head.recording) if one.head else ""
    told = known.get(recording, Known(None, None))
    goes_on = next(
        (on for head in heads.values() if (on := head.continues) and str(on.recording) == recording), None
    )
    report = verify(
        one.source,
        keys=keys,
        call=call,
        chain=told.chain,
        told=told.told,
        continued=(goes_on.records, goes_on.chain) if goes_on else None,
        authority=authority(settings),
    )
    earlier = one.head.continues if one.head is not None else None
    if one.head is not None and earlier is not None and str(earlier.recording) not in heads:
        report.find("earlier_missing", **_continues(one.head))
    if told.stamped and TIMESTAMP not in one.source.names():
        report.find("timestamp_gone")
    return report


def check_directory(settings: Settings, source: Source, keys: KeyRing | None) -> Report:
    """A report for one recording by itself."""
    report = verify(source, keys=keys, authority=authority(settings))
    head = _head(source)
    if head is not None and head.continues is not None:
        report.note("continues", **_continues(head))
    return report


def _head(source: Source) -> Head | None:
    try:
        return load_head(source.whole(HEAD))
    except CallsvcError:
        return None


def _continues(head: Head) -> dict[str, object]:
    assert head.continues is not None
    positions = zip(head.continues.samples, head.tracks, strict=True)
    until = max(position / track.rate_hz for position, track in positions)
    return {"recording": str(head.continues.recording), "at": clock_time(until)}
