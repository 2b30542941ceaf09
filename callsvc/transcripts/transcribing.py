"""The job `transcribe_call`: a sealed recording in, a transcript in the database out.

It may run twice, also side by side with itself: what it leaves is one set of utterances, written in the transaction
that calls the transcript done. Without a model the transcript waits (`waiting_model`), its reason beside it, and
`take_up` puts it back into the queue when there is one.

    queued ──► running ──► done
      ▲  ▲        │ ├──► failed           every attempt failed, or every worker died of it
      │  └────────┘ └──► waiting_model ──► queued
      └ something more urgent waits: it goes on where it was
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from callsvc import jobs, logs
from callsvc.config import Settings
from callsvc.errors import CallsvcError, MissingPart, NotFound, Unavailable
from callsvc.ids import new_id
from callsvc.jobs import Job, Work, queue
from callsvc.locale.said import Said
from callsvc.store import Connection, Database, transcripts
from callsvc.transcripts import models, said_live
from callsvc.transcripts.assembly import assemble
from callsvc.transcripts.both_legs import BothLegs, Overtaken, heard
from callsvc.transcripts.port import OpenRecording
from callsvc.types import TranscriptState
from models.recogniser.directory import ModelCard
from models.recogniser.whisper import options

NAME = "transcribe_call"
ATTEMPTS = 6
NIGHTLY, ASKED_FOR = 0, 10
"""Priorities: what is transcribed because it was recorded, and what somebody waits for."""
GIVEN_UP = "The work was cut off each time; a worker died of it, or was stopped."


async def ask(conn: Connection, call_id: UUID, *, priority: int = NIGHTLY) -> None:
    """Queue the call's transcription in the caller's transaction; one that waits already gets the higher priority."""
    once = f"transcribe {call_id}"
    queued = await jobs.defer(conn, NAME, once=once, priority=priority, call=str(call_id))
    if queued is None and priority > NIGHTLY:
        await queue.hurry(conn, NAME, once, priority)


async def take_up(database: Database, settings: Settings) -> int:
    """Queue the transcripts that waited for a model, if there is one now. How many."""
    try:
        await asyncio.to_thread(models.card, settings)
    except MissingPart:
        return 0
    async with database.transaction() as conn:
        waiting = await transcripts.in_state(conn, TranscriptState.WAITING_MODEL, limit=1000)
        for one in waiting:
            await ask(conn, one.call_id)
    return len(waiting)


def job(open_recording: OpenRecording) -> Job:
    """The job, with the way to a call's recording."""

    async def run(work: Work, call: str) -> None:
        await _transcribe(work, UUID(call), open_recording)

    return Job(NAME, run, attempts=ATTEMPTS, at_once=1)


async def _transcribe(work: Work, call_id: UUID, open_recording: OpenRecording) -> None:
    log = logs.get("transcripts").bind(call=str(call_id))
    database, clock = work.database, work.clock
    transcript = await _row(work, call_id)
    transcript_id = transcript.id
    if transcript.state == TranscriptState.DONE:
        return
    try:
        card = await asyncio.to_thread(models.card, work.settings)
    except MissingPart as error:
        log.warning("transcript_waits_for_model", reason=error.message)
        async with database.transaction() as conn:
            await transcripts.set_state(
                conn,
                transcript_id,
                TranscriptState.WAITING_MODEL,
                at=clock.utc_now(),
                error=error.said.dump(),
            )
        return
    await _begin(work, transcript, card)
    try:
        await _hear(work, transcript, card, open_recording)
    except Overtaken:
        log.info("transcript_overtaken")
        await _go_on_later(work, transcript_id, call_id)
        return
    except Exception as error:
        # The root of the job: whatever went wrong, people see that it did, and the queue tries anew.
        await _unheard(work, transcript_id, error)
        raise
    async with database.transaction() as conn:
        found = assemble(heard(await transcripts.pieces(conn, transcript_id)))
        await transcripts.replace_utterances(conn, transcript_id, found)
        await transcripts.drop_pieces(conn, transcript_id)
        await said_live.take_over(conn, transcript_id, call_id)
        await transcripts.set_state(
            conn, transcript_id, TranscriptState.DONE, at=clock.utc_now(), progress=1.0
        )
    log.info("transcript_done", utterances=len(found), words=sum(len(one.words) for one in found))


async def _row(work: Work, call_id: UUID) -> transcripts.Transcript:
    """The call's transcript, made if this is the first to ask."""
    async with work.database.transaction() as conn:
        # Two runs side by side agree on one row.
        await conn.execute("select 1 from calls where id = %s for update", [call_id])
        if found := await transcripts.of_call(conn, call_id):
            return found
        transcript_id = new_id()
        language = work.settings.transcripts.language
        await transcripts.create(conn, transcript_id, call_id, language=language, at=work.clock.utc_now())
        return await transcripts.get(conn, transcript_id)


async def _begin(work: Work, transcript: transcripts.Transcript, card: ModelCard) -> None:
    """Pieces that were heard before stay, if the same model heard them with the same options."""
    how: dict[str, Any] = options(None) | {"languages": models.languages(work.settings)}
    now = work.clock.utc_now()
    async with work.database.transaction() as conn:
        if (transcript.model_sha256, transcript.options) != (card.sha256, how):
            await transcripts.drop_pieces(conn, transcript.id)
        await transcripts.set_state(
            conn,
            transcript.id,
            TranscriptState.RUNNING,
            at=now,
            model=card.name,
            model_sha256=card.sha256,
            options=how,
            started_at=transcript.started_at or now,
        )


async def _hear(
    work: Work, transcript: transcripts.Transcript, card: ModelCard, open_recording: OpenRecording
) -> None:
    """Opened once more if the recording was moved to the archive meanwhile."""
    languages = models.languages(work.settings)
    for last in (False, True):
        try:
            recorded = await open_recording(transcript.call_id)
            await BothLegs(work, transcript.id, languages).run(recorded, card)
        except NotFound:
            if last:
                raise
        else:
            return


async def _go_on_later(work: Work, transcript_id: UUID, call_id: UUID) -> None:
    async with work.database.transaction() as conn:
        await transcripts.set_state(conn, transcript_id, TranscriptState.QUEUED, at=work.clock.utc_now())
        await ask(conn, call_id, priority=await queue.priority(conn, work.job_id))


async def _unheard(work: Work, transcript_id: UUID, error: Exception) -> None:
    why = (
        error.said
        if isinstance(error, CallsvcError)
        else Said("A fault: {kind}.", {"kind": type(error).__name__})
    )
    last = work.attempt >= ATTEMPTS
    try:
        async with work.database.transaction() as conn:
            await transcripts.set_state(
                conn,
                transcript_id,
                TranscriptState.FAILED if last else TranscriptState.QUEUED,
                at=work.clock.utc_now(),
                error=why.dump(),
            )
    except Unavailable:
        # The database is what went wrong; `give_up_lost` finds the row if nobody takes it up.
        logs.get("transcripts").warning("transcript_state_not_written")


async def give_up_lost(database: Database, now: datetime) -> int:
    """Call transcripts failed that no job works on any more: each worker that took them died. How many."""
    async with database.transaction() as conn:
        lost = await transcripts.fail_lost(conn, task=NAME, reason=GIVEN_UP, at=now)
    for call_id in lost:
        logs.get("transcripts").error("transcript_given_up", call=str(call_id))
    return len(lost)
