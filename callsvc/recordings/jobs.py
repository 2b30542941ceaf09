"""The recording's jobs for the worker: archive_recording, and stamp_recording for a timestamp that comes later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from callsvc import logs
from callsvc.config import Settings
from callsvc.errors import ConfigurationError, Unavailable, VerificationFailed
from callsvc.jobs import Job, Work, defer
from callsvc.recordings import archive, place
from callsvc.recordings.durable import write_whole
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.layout import MANIFEST, SIGNATURE, TIMESTAMP
from callsvc.recordings.objects import Objects, StoredSource, objects, prefix_of
from callsvc.recordings.timestamps import Authority, authority
from callsvc.store import Connection, Database, recordings
from callsvc.types import RecordingState

ARCHIVE = "archive_recording"
STAMP = "stamp_recording"


async def archive_recording(work: Work, recording: str) -> None:
    """Have a sealed recording timestamped, move it to the object store, verified, and free the spool."""
    log = logs.get("archive")
    async with work.database.transaction() as conn:
        row = await recordings.get(conn, UUID(recording))
    for spool in place.spools(work.settings):
        await asyncio.to_thread(archive.sweep, spool)
    directory = await asyncio.to_thread(place.spool_directory, work.settings, str(row.call_id), recording)
    if row.state != RecordingState.ARCHIVED:
        stamps = authority(work.settings)
        if directory is not None and stamps is not None:
            await asyncio.to_thread(stamp_directory, directory, stamps)
        keys = key_ring(work.settings)
        store = objects(work.settings)
        try:
            if directory is None:
                # An earlier run freed the spool and died before it could say so.
                location = prefix_of(recording)
                manifest = await asyncio.to_thread(archive.check_copy, store, location, keys)
            else:
                location, manifest = await asyncio.to_thread(archive.archive, directory, store, keys)
        except VerificationFailed:
            log.error("recording_not_as_sealed", recording=recording)
            async with work.database.transaction() as conn:
                await recordings.fail(conn, UUID(recording), outcome="not_as_sealed")
            return
        async with work.database.transaction() as conn:
            await recordings.archive(
                conn,
                UUID(recording),
                location=location,
                at=work.clock.utc_now(),
                manifest=manifest.content(),
            )
            if stamps is not None:
                await _ask(conn, recording)
        log.info("recording_archived", recording=recording)
    if directory is not None:
        await asyncio.to_thread(archive.free, directory)


def stamp_directory(directory: Path, stamps: Authority) -> bool:
    """Put the authority's answer beside a sealed recording that has none. False while the authority is away."""
    if (directory / TIMESTAMP).exists() or not stamps.answers or not (directory / MANIFEST).exists():
        return True
    try:
        answer = stamps.stamp((directory / SIGNATURE).read_bytes())
    except Unavailable:
        logs.get("archive").warning("timestamp_later", recording=directory.name)
        return False
    write_whole(directory / TIMESTAMP, answer)
    return True


def stamp_stored(store: Objects, prefix: str, stamps: Authority) -> None:
    """The same in the object store. Raises `Unavailable` while the authority or the store is away."""
    source = StoredSource(store, prefix)
    if TIMESTAMP not in source.names() and stamps.answers:
        store.put(f"{prefix}/{TIMESTAMP}", stamps.stamp(source.whole(SIGNATURE)))


async def stamp_recording(work: Work, recording: str) -> None:
    """Fetch the timestamp of an archived recording that has none, and write down that it has one."""
    stamps = authority(work.settings)
    if stamps is not None and stamps.answers:
        await asyncio.to_thread(stamp_stored, objects(work.settings), prefix_of(recording), stamps)
        async with work.database.transaction() as conn:
            await recordings.stamped(conn, UUID(recording), at=work.clock.utc_now())


async def stamps_that_are_missing(settings: Settings, database: Database) -> int:
    """Queue the archived recordings that have no timestamp, a hundred at a time; how many.

    They were archived before there was an authority, or restored from the store. Told again it changes nothing.
    """
    try:
        stamps = authority(settings)
    except ConfigurationError:
        return 0  # the archive's own job says so, each time
    if stamps is None or not stamps.answers:
        return 0
    async with database.transaction() as conn:
        missing = await recordings.unstamped(conn)
        for recording in missing:
            await _ask(conn, str(recording))
    return len(missing)


async def _ask(conn: Connection, recording: str) -> None:
    await defer(conn, STAMP, once=f"stamp-{recording}", recording=recording)


# A store or an authority may be away for days: the job waits for it, ten minutes at a time.
JOBS = (
    Job(ARCHIVE, archive_recording, attempts=1_000_000, at_once=2),
    Job(STAMP, stamp_recording, attempts=1_000_000, at_once=1),
)
