"""Which jobs there are: each feature's own, put together with what they need of each other."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from callsvc import transcripts
from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings
from callsvc.disclosures import bundles
from callsvc.errors import NotFound
from callsvc.jobs import Job
from callsvc.recordings import trail_witness
from callsvc.recordings.jobs import JOBS as RECORDING_JOBS
from callsvc.recordings.jobs import stamps_that_are_missing
from callsvc.recordings.joined import open_joined
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.objects import objects
from callsvc.recordings.reader import Recording
from callsvc.store import Database, captions, recordings
from callsvc.transcripts import OpenRecording
from callsvc.worker import bundling, demonstration
from callsvc.worker.process import Chore


def jobs(settings: Settings, database: Database) -> list[Job]:
    """Every kind of job that this version knows."""
    return [
        *RECORDING_JOBS,
        transcripts.job(opener(settings, database)),
        bundling.JOB_OF_BUNDLES,
        demonstration.JOB,
        demonstration.CALLER_JOB,
    ]


def opener(settings: Settings, database: Database) -> OpenRecording:
    """Opens a call's recording wherever it lies now."""

    async def open_call(call_id: UUID) -> Recording:
        async with database.transaction() as conn:
            row = await recordings.of_call(conn, call_id)
        if row is None:
            raise NotFound("The call has no recording.")
        return await asyncio.to_thread(_open, settings, row)

    return open_call


def _open(settings: Settings, row: recordings.Recording) -> Recording:
    return open_joined(
        settings, key_ring(settings), call=str(row.call_id), recording=str(row.id), location=row.location
    )


async def _transcripts_that_waited(settings: Settings, database: Database) -> None:
    await transcripts.take_up(database, settings)


async def _transcripts_nobody_works_on(settings: Settings, database: Database) -> None:
    await transcripts.give_up_lost(database, SystemClock().utc_now())


async def _captions_of_calls_that_are_over(settings: Settings, database: Database) -> None:
    async with database.transaction() as conn:
        await captions.clear(conn, at=SystemClock().utc_now())


async def _stamps_that_are_missing(settings: Settings, database: Database) -> None:
    await stamps_that_are_missing(settings, database)


async def _head_of_the_trail(settings: Settings, database: Database) -> None:
    async with database.transaction() as conn:
        head = await trail.head(conn)
    await asyncio.to_thread(_keep_head, settings, head)


def _keep_head(settings: Settings, head: trail.Head) -> None:
    trail_witness.keep(objects(settings), key_ring(settings), head, SystemClock().utc_now())


async def _bundles_that_nobody_fetched(settings: Settings, database: Database) -> None:
    async with database.transaction() as conn:
        gone = await bundles.expire(conn, at=SystemClock().utc_now())
    for disclosure in gone:
        await asyncio.to_thread(objects(settings).remove, bundles.place(disclosure))


CHORES: Final[tuple[Chore, ...]] = (
    _head_of_the_trail,
    _stamps_that_are_missing,
    _transcripts_that_waited,
    _transcripts_nobody_works_on,
    _captions_of_calls_that_are_over,
    _bundles_that_nobody_fetched,
)
