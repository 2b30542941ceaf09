"""Calls in the database as a media node, the archive and the transcriber would have left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

from audio.taps import Track
from callsvc.ids import new_id
from callsvc.store import Connection, calls, proofs, recordings, transcripts
from callsvc.types import Leg, Profile, TranscriptState
from tests.support.recordings import Made, make_recording

BEGAN = datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)
TRACKS = (Track("caller.rx", 8000), Track("operator.rx", 16000), Track("operator.tx", 16000))
SAID: Sequence[tuple[Leg, str]] = (
    (Leg.OPERATOR, "Polisen, vad gäller det?"),
    (Leg.CALLER, "Hej, jag vill berätta vad som hände i går kväll."),
    (Leg.OPERATOR, "Jag lyssnar. Ta den tid du behöver."),
    (Leg.CALLER, "Han stod utanför dörren och slog på den, han skrek att han visste att jag var hemma."),
    (Leg.OPERATOR, "Är du i säkerhet nu?"),
    (Leg.CALLER, "Ja. Jag är hos min syster."),
)


async def live(
    conn: Connection,
    *,
    at: datetime,
    recording: bool = True,
    degraded: str = "",
    profile: Profile = Profile.REPORT,
) -> UUID:
    """A call that goes on since `at`."""
    call_id = new_id()
    await calls.start(conn, call_id, profile=profile, node="node-1", at=at)
    await calls.leg_joined(conn, call_id, Leg.CALLER, transport="rtp", codec="PCMA", at=at)
    await calls.leg_joined(conn, call_id, Leg.OPERATOR, transport="webrtc", codec="opus", at=at)
    if recording:
        await recordings.start(conn, new_id(), call_id, at=at)
    if degraded:
        await calls.degrade(conn, call_id, degraded, at=at)
    return call_id


async def finished(
    conn: Connection,
    *,
    call_id: UUID | None = None,
    at: datetime = BEGAN,
    length_ms: int = 31_000,
    profile: Profile = Profile.REPORT,
    strokes: int = 214,
    degraded: bool = False,
) -> UUID:
    """A call that is over, with its proof and without a recording."""
    call_id = call_id or new_id()
    ended = at + timedelta(milliseconds=length_ms)
    await calls.start(conn, call_id, profile=profile, node="node-1", at=at)
    for leg, transport, codec in ((Leg.CALLER, "rtp", "PCMA"), (Leg.OPERATOR, "webrtc", "opus")):
        await calls.leg_joined(conn, call_id, leg, transport=transport, codec=codec, at=at)
        await calls.leg_left(conn, call_id, leg, cause="hangup", at=ended)
    await calls.end(conn, call_id, cause="hangup", length_ms=length_ms, at=ended)
    await proofs.put(
        conn,
        proofs.ProofRow(
            call_id=call_id,
            at=ended,
            strokes=strokes,
            level_before_db=-34.2 if strokes else None,
            level_after_db=-71.5 if strokes else None,
            audible_before_pct=93.0 if strokes else None,
            audible_after_pct=1.9 if strokes else None,
            blocks=length_ms // 10,
            blocks_passed=120 if degraded else 0,
            model="tyst-1",
            model_sha256="5f" * 32,
            latency_samples=320,
            degraded=degraded,
        ),
    )
    await conn.execute("update calls set created_at = %s where id = %s", [at, call_id])
    return call_id


def record(
    base: Path,
    *,
    seconds: int = 31,
    lost: Sequence[int] = (400, 401, 402),
    tracks: tuple[Track, ...] = TRACKS,
) -> Made:
    """A sealed recording, of three tracks if not told otherwise, in the spool of the data directory `base`, for `recorded`."""
    return make_recording(base, seconds=seconds, lost=lost, tracks=tracks)


async def recorded(conn: Connection, made: Made, *, at: datetime = BEGAN) -> UUID:
    """A finished call that has the recording `made`."""
    call_id = await finished(conn, call_id=UUID(made.call), at=at, length_ms=made.frames * 20)
    sealed = next(event.fields for event in made.sink.events if event.kind == "recording.sealed")
    told = sealed["tracks"]
    assert isinstance(told, list)
    tracks = [
        recordings.TrackRow(
            track["name"],
            track["rate"],
            track["samples"],
            [{"start": start, "length": length, "cause": cause} for start, length, cause in track["gaps"]],
        )
        for track in told
    ]
    recording = UUID(str(sealed["recording"]))
    head = str(sealed["head"])
    await recordings.seal(conn, recording, call_id, outcome="complete", head=head, tracks=tracks, at=at)
    return call_id


async def transcribed(
    conn: Connection, call_id: UUID, *, said: Sequence[tuple[Leg, str]] = SAID, every_ms: int = 5000
) -> None:
    """The call's transcript: one utterance every five seconds, its words spread over four."""
    transcript_id = new_id()
    await transcripts.create(conn, transcript_id, call_id, language="sv", at=BEGAN)
    unsure = {"skrek": 0.4, "syster.": 0.7}
    spoken = []
    for n, (leg, text) in enumerate(said):
        words = text.split()
        edges = [round(edge) for edge in np.linspace(0, 4000, len(words) + 1) + n * every_ms]
        told = [
            {"start_ms": start, "end_ms": end, "text": word, "probability": unsure.get(word, 0.95)}
            for word, start, end in zip(words, edges, edges[1:], strict=False)
        ]
        spoken.append(transcripts.Utterance(n, leg, edges[0], edges[-1], text, told))
    await transcripts.replace_utterances(conn, transcript_id, spoken)
    await transcripts.set_state(
        conn, transcript_id, TranscriptState.DONE, at=BEGAN, progress=1.0, model="kb-whisper-small"
    )


async def waiting(conn: Connection, call_id: UUID, state: TranscriptState, progress: float = 0.0) -> UUID:
    """A transcript that is not there yet."""
    transcript_id = new_id()
    await transcripts.create(conn, transcript_id, call_id, language="sv", at=BEGAN)
    await transcripts.set_state(conn, transcript_id, state, at=BEGAN, progress=progress)
    return transcript_id
