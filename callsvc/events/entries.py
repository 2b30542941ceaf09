"""What an event means for the books: one function a kind, each in the transaction that it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callsvc import jobs
from callsvc.errors import NotFound
from callsvc.events.kinds import (
    Body,
    CallDegraded,
    CallEnded,
    CallNoted,
    CallProof,
    CallStarted,
    CallStrokes,
    LegConnection,
    LegJoined,
    LegLeft,
    RecordingHead,
    RecordingSealed,
    RecordingStarted,
)
from callsvc.review import sampling
from callsvc.store import Connection, call_notes, calls, connections, keystrokes, proofs, recordings
from callsvc.types import RecordingState

ARCHIVE = "archive_recording"
TRANSCRIBE = "transcribe_call"


@dataclass(frozen=True, slots=True)
class Told:
    """When and where it happened, by the node's own clock."""

    call: UUID
    node: str
    at: datetime


async def call_started(conn: Connection, told: Told, body: CallStarted) -> None:
    await calls.start(conn, told.call, profile=body.profile, node=told.node, at=told.at)


async def call_degraded(conn: Connection, told: Told, body: CallDegraded) -> None:
    await calls.degrade(conn, told.call, body.what, at=told.at)


async def call_ended(conn: Connection, told: Told, body: CallEnded) -> None:
    await calls.end(conn, told.call, cause=body.cause, length_ms=body.length_ms, at=told.at)
    await sampling.consider(conn, told.call, at=told.at)


async def call_proof(conn: Connection, told: Told, body: CallProof) -> None:
    await proofs.put(conn, proofs.ProofRow(call_id=told.call, at=told.at, **body.model_dump()))
    await sampling.consider(conn, told.call, at=told.at)


async def call_noted(conn: Connection, told: Told, body: CallNoted) -> None:
    what = dict(body.__pydantic_extra__)
    await call_notes.add(conn, told.call, body.note, body.at_ms, what, at=told.at)


async def call_strokes(conn: Connection, told: Told, body: CallStrokes) -> None:
    await keystrokes.add(conn, told.call, list(zip(body.at_ms, body.level_db, strict=True)), at=told.at)


async def leg_joined(conn: Connection, told: Told, body: LegJoined) -> None:
    if body.profile is not None:
        # A call from a trunk is told of here first: whoever answers must see which line it came in on.
        await calls.ensure(conn, told.call, profile=body.profile, at=told.at)
    if body.line:
        await calls.came_in_on(conn, told.call, body.line, at=told.at)
    await calls.leg_joined(conn, told.call, body.leg, transport=body.transport, codec=body.codec, at=told.at)
    await calls.stands_at(conn, told.call, told.node)


async def leg_left(conn: Connection, told: Told, body: LegLeft) -> None:
    await calls.leg_left(conn, told.call, body.leg, cause=body.cause, at=told.at)


async def leg_connection(conn: Connection, told: Told, body: LegConnection) -> None:
    await connections.add(conn, told.call, connections.Seen(**body.model_dump()), at=told.at)


async def recording_started(conn: Connection, told: Told, body: RecordingStarted) -> None:
    await recordings.start(conn, body.recording, told.call, at=told.at)


async def recording_head(conn: Connection, told: Told, body: RecordingHead) -> None:
    await recordings.tell_head(
        conn, body.recording, told.call, records=body.records, chain=body.chain, at=told.at
    )


async def recording_sealed(conn: Connection, told: Told, body: RecordingSealed) -> None:
    """The row and the two jobs that serve it become true together; a node that tells it again changes nothing."""
    try:
        known = await recordings.get(conn, body.recording)
    except NotFound:
        pass
    else:
        if known.state in (RecordingState.SEALED, RecordingState.ARCHIVED):
            return
    tracks = [
        recordings.TrackRow(
            track.name,
            track.rate,
            track.samples,
            [{"start": start, "length": length, "cause": cause} for start, length, cause in track.gaps],
        )
        for track in body.tracks
    ]
    if body.continues is not None:
        before = await recordings.tracks(conn, body.continues.recording)
        tracks = recordings.joined(tracks, before, body.continues.samples)
    await recordings.seal(
        conn,
        body.recording,
        told.call,
        outcome=body.outcome,
        head=body.head,
        tracks=tracks,
        at=body.sealed_at or told.at,
    )
    # Whichever comes last, the end of the call or the seal of its recording: then it can be drawn for review.
    await sampling.consider(conn, told.call, at=told.at)
    await jobs.defer(conn, ARCHIVE, once=f"archive {body.recording}", recording=str(body.recording))
    latest = await recordings.of_call(conn, told.call)
    if latest is not None and latest.id != body.recording and latest.state == RecordingState.RECORDING:
        return  # the call goes on in another recording, which is heard with this one
    await jobs.defer(conn, TRANSCRIBE, once=f"transcribe {told.call}", call=str(told.call))


ENTRIES: dict[type[Body], Callable[[Connection, Told, Any], Awaitable[None]]] = {
    CallStarted: call_started,
    CallDegraded: call_degraded,
    CallEnded: call_ended,
    CallProof: call_proof,
    CallNoted: call_noted,
    CallStrokes: call_strokes,
    LegJoined: leg_joined,
    LegLeft: leg_left,
    LegConnection: leg_connection,
    RecordingStarted: recording_started,
    RecordingHead: recording_head,
    RecordingSealed: recording_sealed,
}
