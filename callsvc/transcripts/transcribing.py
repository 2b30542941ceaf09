"""The job `transcribe_call`: a sealed recording in, a transcript in the database out.

It may run twice, also side by side with itself: what it leaves is one set of utterances, written in the transaction
that calls the transcript done. Without a model the transcript waits (`waiting_model`), its reason beside it, and
`take_up` puts it back into the queue when there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from uuid import UUID

from callsvc import jobs, logs
from callsvc.config import Settings
from callsvc.errors import CallsvcError, MissingPart, NotFound, Unavailable
from callsvc.ids import new_id
from callsvc.jobs import Job, Work
from callsvc.store import Connection, Database, transcripts
from callsvc.transcripts import models
from callsvc.transcripts.listening import Heard, listen
from callsvc.transcripts.port import OpenRecording, Recorded
from callsvc.types import Leg, Track, TranscriptState
from models.recogniser import voice
from models.recogniser.directory import ModelCard
from models.recogniser.words import Recogniser

NAME = "transcribe_call"
PROGRESS_EVERY_S = 1.0
ATTEMPTS = 6
# What the caller heard is what the operator said, for a transcript too.
TRACKS = ((Leg.CALLER, Track.CALLER_RX), (Leg.OPERATOR, Track.OPERATOR_TX))


async def ask(conn: Connection, call_id: UUID) -> None:
    """Queue the call's transcription in the caller's transaction, unless it waits in the queue already."""
    await jobs.defer(conn, NAME, once=f"transcribe {call_id}", call=str(call_id))


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
                conn, transcript_id, TranscriptState.WAITING_MODEL, at=clock.utc_now(), error=error.message
            )
        return
    async with database.transaction() as conn:
        await transcripts.set_state(
            conn,
            transcript_id,
            TranscriptState.RUNNING,
            at=clock.utc_now(),
            progress=0.0,
            model=card.name,
            model_sha256=card.sha256,
        )
    try:
        heard = await _heard(work, transcript, card, open_recording)
    except Exception as error:
        # The root of the job: whatever went wrong, people see that it did, and the queue tries anew.
        await _unheard(work, transcript_id, error)
        raise
    async with database.transaction() as conn:
        await transcripts.replace_utterances(conn, transcript_id, _rows(heard))
        await transcripts.set_state(
            conn, transcript_id, TranscriptState.DONE, at=clock.utc_now(), progress=1.0
        )
    log.info("transcript_done", utterances=len(heard), words=sum(len(one.words) for one in heard))


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


class _Stopped(Exception):
    """Nobody waits for this any more."""


async def _listen(
    work: Work, transcript_id: UUID, recorded: Recorded, card: ModelCard, language: str
) -> list[Heard]:
    """Both legs in a thread of their own, with the share that is done in the database about every second.

    Cancelled, it ends with the piece that it is at.
    """
    share, stop = 0.0, threading.Event()

    def both() -> list[Heard]:
        recogniser: Recogniser = models.load(card)
        found: list[Heard] = []
        for k, (leg, track) in enumerate(TRACKS):

            def tell(done: float, k: int = k) -> None:
                nonlocal share
                share = (k + done) / len(TRACKS)
                if stop.is_set():
                    raise _Stopped

            if track in recorded.tracks:
                found += listen(recorded, track, leg, recogniser, language, voice.stretches, tell)
        return found

    running = asyncio.ensure_future(asyncio.to_thread(both))
    told = 0.0
    try:
        while not (await asyncio.wait({running}, timeout=PROGRESS_EVERY_S))[0]:
            if share > told:
                told = share
                # How far it has come is not worth losing it for.
                with contextlib.suppress(Unavailable):
                    async with work.database.transaction() as conn:
                        await transcripts.set_progress(conn, transcript_id, told)
        return running.result()
    finally:
        stop.set()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()


async def _heard(
    work: Work, transcript: transcripts.Transcript, card: ModelCard, open_recording: OpenRecording
) -> list[Heard]:
    """Once more from the beginning if the recording was moved to the archive meanwhile."""
    try:
        recorded = await open_recording(transcript.call_id)
        return await _listen(work, transcript.id, recorded, card, transcript.language)
    except NotFound:
        recorded = await open_recording(transcript.call_id)
        return await _listen(work, transcript.id, recorded, card, transcript.language)


async def _unheard(work: Work, transcript_id: UUID, error: Exception) -> None:
    message = error.message if isinstance(error, CallsvcError) else f"A fault: {type(error).__name__}."
    last = work.attempt >= ATTEMPTS
    async with work.database.transaction() as conn:
        await transcripts.set_state(
            conn,
            transcript_id,
            TranscriptState.FAILED if last else TranscriptState.QUEUED,
            at=work.clock.utc_now(),
            error=message,
        )


def _rows(heard: list[Heard]) -> list[transcripts.Utterance]:
    in_order = sorted(heard, key=lambda one: (one.words[0].start_ms, one.leg))
    return [
        transcripts.Utterance(
            n,
            one.leg,
            one.words[0].start_ms,
            max(word.end_ms for word in one.words),
            one.text,
            [
                {
                    "start_ms": word.start_ms,
                    "end_ms": word.end_ms,
                    "text": word.text,
                    "probability": word.probability,
                    **({"unsure": True} if word.unsure else {}),
                }
                for word in one.words
            ],
        )
        for n, one in enumerate(in_order)
    ]
