"""The recording's job for the worker: archive_recording."""

from __future__ import annotations

import asyncio
from uuid import UUID

from callsvc import logs
from callsvc.errors import VerificationFailed
from callsvc.jobs import Job, Work
from callsvc.recordings import archive, place
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.objects import objects, prefix_of
from callsvc.store import recordings
from callsvc.types import RecordingState


async def archive_recording(work: Work, recording: str) -> None:
    """Move a sealed recording to the object store, verified, and free the spool."""
    log = logs.get("archive")
    async with work.database.transaction() as conn:
        row = await recordings.get(conn, UUID(recording))
    spool = work.settings.data_dir / place.SPOOL
    await asyncio.to_thread(archive.sweep, spool)
    directory = await asyncio.to_thread(
        place.spool_directory, work.settings.data_dir, str(row.call_id), recording
    )
    if row.state != RecordingState.ARCHIVED:
        keys = FileKeyRing(work.settings.data_dir / "keys")
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
        log.info("recording_archived", recording=recording)
    if directory is not None:
        await asyncio.to_thread(archive.free, directory)


# A store may be away for days: the job waits for it, ten minutes at a time.
JOBS = (Job("archive_recording", archive_recording, attempts=1_000_000, at_once=2),)
