"""Writes into an empty database what the object store and the spool vouch for themselves: calls, recordings, tracks.

Each recording is checked against its signature first, every byte: what goes into the books is what was sealed. What is
in the books already stays as it is there, so that it may be run again, and beside a service that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.errors import CallsvcError, NotFound, Unavailable
from callsvc.jobs import defer
from callsvc.recordings import place
from callsvc.recordings.errors import KeyDestroyed
from callsvc.recordings.head import Continues, load_head, load_key
from callsvc.recordings.jobs import ARCHIVE
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import HEAD, KEY, MANIFEST
from callsvc.recordings.manifest import Manifest, load_manifest
from callsvc.recordings.objects import RECORDINGS, StoredSource, objects, prefix_of
from callsvc.recordings.source import DirectorySource, Source
from callsvc.recordings.verify import verify
from callsvc.store import Connection, Database, calls, recordings
from callsvc.types import Profile, RecordingState

BOOKED = (RecordingState.ARCHIVED, RecordingState.FAILED)
"""What the books say last of a recording: nothing that is found changes it."""


@dataclass(slots=True)
class Rebooked:
    """How many were written, how many were there; `bad` are not as sealed: where they lie, and what is wrong."""

    written: int = 0
    known: int = 0
    bad: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that says that it is a sealed recording; `location` is where it lies in the store."""

    source: Source
    location: str | None
    manifest: Manifest | None

    def opened_at(self) -> str:
        return self.manifest.opened_at if self.manifest else ""


@dataclass(frozen=True, slots=True)
class _Vouched:
    """A recording that is what was sealed; `location` where it lies in the store."""

    manifest: Manifest
    continues: Continues | None
    location: str | None
    destroyed: bool

    @property
    def length_s(self) -> float:
        """How long the call was, as far as this recording knows: it counts from the call's beginning."""
        return max(track.samples / track.rate_hz for track in self.manifest.tracks)

    @property
    def began(self) -> datetime:
        """When the call began: a part that goes on from another one was opened later than that."""
        opened = datetime.fromisoformat(self.manifest.opened_at)
        if self.continues is None:
            return opened
        before = zip(self.continues.samples, self.manifest.tracks, strict=True)
        return opened - timedelta(seconds=max(samples / track.rate_hz for samples, track in before))


async def rebook(settings: Settings, database: Database, keys: KeyRing, clock: Clock) -> Rebooked:
    """Walk everything there is and write down what is missing, call by call. Raises `Unavailable` while the store is away."""
    done = Rebooked()
    for places in await asyncio.to_thread(_by_call, settings):
        parts: list[_Vouched] = []
        for one in places:
            async with database.transaction() as conn:
                if await _booked(conn, one):
                    done.known += 1
                    continue
            found = await asyncio.to_thread(_vouched, one, keys, settings.language, done)
            if found is not None:
                parts.append(found)
        if parts:
            async with database.transaction() as conn:
                await _write_call(conn, parts)
                for found in parts:
                    await _write(conn, found, at=clock.utc_now())
            # One that the archive had copied and not yet taken from the spool lies in both.
            done.written += len({found.manifest.recording for found in parts})
    return done


def _by_call(settings: Settings) -> list[list[_Place]]:
    """What lies where, the parts of a call together: the earlier one first, for the later one takes its gaps."""
    calls_found: dict[str, list[_Place]] = {}
    for source, location in _everything(settings):
        manifest = _read(source)
        one = _Place(source, location, manifest)
        calls_found.setdefault(manifest.call if manifest else source.label, []).append(one)
    return [sorted(places, key=_Place.opened_at) for places in calls_found.values()]


def _everything(settings: Settings) -> Iterator[tuple[Source, str | None]]:
    """What is sealed: the store first, for what lies there is not needed in the spool."""
    store = objects(settings)
    for name in store.names(RECORDINGS):
        if name.endswith("/" + MANIFEST):
            location = name.removesuffix("/" + MANIFEST)
            yield StoredSource(store, location), location
    for spool in place.spools(settings):
        if spool.is_dir():
            for directory in sorted(spool.iterdir()):
                if not directory.name.startswith(".") and (directory / MANIFEST).exists():
                    yield DirectorySource(directory), None


def _read(source: Source) -> Manifest | None:
    """Its manifest, which nothing vouches for yet; None where that cannot be read."""
    try:
        return load_manifest(source.whole(MANIFEST))
    except Unavailable:
        raise
    except CallsvcError:
        return None


async def _booked(conn: Connection, one: _Place) -> bool:
    if one.manifest is None:
        return False
    try:
        row = await recordings.get(conn, UUID(one.manifest.recording))
        call = await calls.get(conn, row.call_id)
    except (NotFound, ValueError):
        return False
    if call.state == "setting_up":
        return False  # its node told of the recording once more, and of nothing else
    if one.location is None:
        return row.state in (*BOOKED, RecordingState.SEALED)
    return row.state in BOOKED and row.location in (one.location, None)


def _vouched(one: _Place, keys: KeyRing, language: str, done: Rebooked) -> _Vouched | None:
    """Every byte against the signature. What is not as sealed is named and not written."""
    source, location = one.source, one.location
    report = verify(source, trusted=keys.trusted())
    try:
        manifest = load_manifest(source.whole(MANIFEST))
        if location not in (None, prefix_of(manifest.recording)):
            report.find("place_other", recording=manifest.recording)
        if report.ok:
            continues = load_head(source.whole(HEAD)).continues
            return _Vouched(manifest, continues, location, _destroyed(source))
    except Unavailable:
        raise
    except CallsvcError:
        pass  # the report says so
    done.bad.append((report.label, [finding.sentence(language) for finding in report.findings]))
    return None


def _destroyed(source: Source) -> bool:
    try:
        load_key(source.whole(KEY))
    except KeyDestroyed:
        return True
    return False


async def _write_call(conn: Connection, parts: list[_Vouched]) -> None:
    last = max(parts, key=lambda part: part.length_s)
    await calls.restore(
        conn,
        UUID(last.manifest.call),
        profile=Profile(last.manifest.profile),
        node=last.manifest.node,
        started_at=min(part.began for part in parts),
        length_ms=round(last.length_s * 1000),
        cause=last.manifest.cause,
    )


async def _write(conn: Connection, found: _Vouched, *, at: datetime) -> None:
    manifest = found.manifest
    recording, call = UUID(manifest.recording), UUID(manifest.call)
    tracks = [
        recordings.TrackRow(
            t.name,
            t.rate_hz,
            t.samples,
            [{"start": g.start, "length": g.length, "cause": str(g.cause)} for g in t.gaps],
        )
        for t in manifest.tracks
    ]
    if found.continues is not None:
        before = await recordings.tracks(conn, found.continues.recording)
        tracks = recordings.joined(tracks, before, found.continues.samples)
    await recordings.start(conn, recording, call, at=datetime.fromisoformat(manifest.opened_at))
    await recordings.seal(
        conn,
        recording,
        call,
        outcome=str(manifest.outcome),
        head=manifest.chain,
        tracks=tracks,
        at=datetime.fromisoformat(manifest.sealed_at),
        manifest=manifest.content(),
    )
    if found.location is None:
        await defer(conn, ARCHIVE, once=f"archive {recording}", recording=str(recording))
    else:
        await recordings.archive(conn, recording, location=found.location, at=at)
    if found.destroyed:
        await recordings.fail(conn, recording, outcome="destroyed")
