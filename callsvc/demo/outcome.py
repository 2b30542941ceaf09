"""What became of the call in the service's books: sealed, archived, verified, transcribed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.demo.report import Proof
from callsvc.errors import CallsvcError
from callsvc.recordings import place
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.reader import open_recording
from callsvc.recordings.verify import verify
from callsvc.store import Database, calls, proofs, recordings, transcripts
from callsvc.store.proofs import ProofRow
from callsvc.store.recordings import Recording
from callsvc.store.transcripts import Transcript
from callsvc.transcripts.evaluating.aligning import align, normal
from callsvc.types import CallState, Leg, RecordingState, Track, TranscriptState

ARCHIVED_S = 60.0
TRANSCRIBED_S = 240.0
POLL_S = 0.2
KEPT = (RecordingState.ARCHIVED, RecordingState.FAILED)
# What a transcript may rest in; running and queued ones are waited for.
RESTS = (TranscriptState.DONE, TranscriptState.FAILED, TranscriptState.WAITING_MODEL)


class NotInTheBooks(CallsvcError):
    """The call did not reach the service's books in time."""

    default_hint = "Look for errors in the demonstration's data/logs."


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of a call that is over."""

    length_ms: int
    recording: Recording
    tracks: tuple[str, ...]
    proof: ProofRow
    transcript: Transcript | None
    heard: Mapping[str, list[str]]
    """The transcript's words on each leg."""

    @property
    def words(self) -> int:
        return sum(map(len, self.heard.values()))

    def right(self, said: Iterable[tuple[str, str]]) -> int:
        """How many of these words (by leg) the transcript has, in their order."""
        said, count = list(said), 0
        for leg in {leg for leg, _ in said}:
            spoken = [normal(word) for one, words in said if one == leg for word in words.split()]
            told = [normal(word) for word in self.heard.get(leg, ())]
            count += sum(pair.same for pair in align(spoken, told))
        return count

    def own_proof(self) -> Proof:
        """The proof as the report shows it."""
        row = self.proof
        return Proof(
            row.strokes,
            row.level_before_db,
            row.level_after_db,
            row.audible_before_pct,
            row.audible_after_pct,
            row.degraded,
        )


async def books(database: Database, clock: Clock, call_id: UUID, step: Callable[[str], None]) -> Books:
    """Wait until the call is archived and its transcript rests. Raises `NotInTheBooks`."""
    step("sealing")
    await _until(database, clock, call_id, ARCHIVED_S, _kept)
    step("transcript")
    await _until(database, clock, call_id, TRANSCRIBED_S, _rests)
    async with database.transaction() as conn:
        call = await calls.get(conn, call_id)
        recording = await recordings.of_call(conn, call_id)
        proof = await proofs.get(conn, call_id)
        assert recording is not None
        if proof is None:
            raise NotInTheBooks("The service gave no proof for the call.")
        tracks = await recordings.tracks(conn, recording.id)
        transcript = await transcripts.of_call(conn, call_id)
        said = await transcripts.utterances(conn, transcript.id) if transcript else []
    return Books(
        call.length_ms or 0,
        recording,
        tuple(track.name for track in tracks),
        proof,
        transcript,
        {leg: [word["text"] for one in said if one.leg == leg for word in one.words] for leg in Leg},
    )


def verified(settings: Settings, call_id: UUID, recording: Recording) -> bool:
    """Whether every byte of the recording is what was sealed, and what the database was told then."""
    keys = key_ring(settings)
    found = place.of_call(settings, str(call_id))
    reports = [verify(source, keys=keys, call=str(call_id), chain=recording.head) for source in found]
    return bool(reports) and all(report.ok for report in reports)


def sent_to_caller(settings: Settings, call_id: UUID, recording: Recording) -> tuple[bytes, int]:
    """The operator's track as recorded after the suppressor: int16 little-endian, and its rate."""
    source = place.find(settings, call=str(call_id), recording=str(recording.id), location=recording.location)
    opened = open_recording(source, key_ring(settings))
    info = opened.tracks[Track.OPERATOR_TX]
    return opened.read(info.name, 0, info.samples).astype("<i2").tobytes(), info.rate_hz


async def _kept(database: Database, call_id: UUID) -> bool:
    async with database.transaction() as conn:
        recording = await recordings.of_call(conn, call_id)
        if recording is None or recording.state not in KEPT:
            return False
        return (await calls.get(conn, call_id)).state == CallState.ENDED


async def _rests(database: Database, call_id: UUID) -> bool:
    async with database.transaction() as conn:
        found = await transcripts.of_call(conn, call_id)
    return found is not None and found.state in RESTS


async def _until(
    database: Database,
    clock: Clock,
    call_id: UUID,
    within_s: float,
    reached: Callable[[Database, UUID], Awaitable[bool]],
) -> None:
    until = clock.monotonic() + within_s
    while not await reached(database, call_id):
        if clock.monotonic() > until:
            raise NotInTheBooks
        await asyncio.sleep(POLL_S)
