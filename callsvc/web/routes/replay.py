"""A call as a reviewer looks at it again: before and after, stroke by stroke; and what spares whoever listens.

What the raw microphone heard is for reviewers alone (`review.work`); the hints of what is hard to hear are for all who
may listen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import BytesIO
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.pictures import panel, spectrogram
from callsvc.review import care, exposure, strokes, worklist
from callsvc.review.source import Source, stretch
from callsvc.store import call_notes, calls, connections, recordings
from callsvc.types import Track
from callsvc.web import door
from callsvc.web.door import CallId, OneSite, SignedIn
from callsvc.web.problems import Problem
from callsvc.web.shapes_review import (
    CaptionSeen,
    CareChoices,
    ConnectionSeen,
    Exposure,
    Happening,
    HardStretch,
    Replay,
    StrokeOut,
    Strokes,
)

router = APIRouter(prefix="/api", tags=["review"])
Reviewer = Annotated[Session, Depends(door.may(Action.REVIEW_WORK))]
Listener = Annotated[Session, Depends(door.may(Action.AUDIO_READ))]
FromMs = Annotated[int, Query(ge=0, lt=1 << 31)]

WINDOW_MS = round(1000 * strokes.WINDOW_S)
SIDES = {"before": Track.OPERATOR_RX, "after": Track.OPERATOR_TX}
PICTURE = (1200, 192)


@router.get("/calls/{call_id}/replay")
async def replay(here: OneSite, session: Reviewer, call_id: CallId) -> Replay:
    """What there is to look at beside the sound: captions as they were seen, and what happened."""
    await here.readings.ask(session, call_id, Action.REVIEW_WORK, kind="replay", name="replay")
    async with here.database.transaction() as conn:
        call = await calls.get(conn, call_id)
        legs = await calls.legs(conn, call_id)
        noted = await call_notes.of_call(conn, call_id)
        seen = await connections.of_call(conn, call_id)
        recording = await recordings.of_call(conn, call_id)
        tracks = await recordings.tracks(conn, recording.id) if recording else []
        review = await worklist.of_call(conn, call_id, session.person.id)
    return Replay(
        raw_kept={"operator.rx", "operator.tx"} <= {track.name for track in tracks},
        keep_raw=here.settings.media.keep_raw,
        window_ms=WINDOW_MS,
        captions=[CaptionSeen.model_validate(one) for one in (review.captions if review else [])],
        happenings=sorted(_happenings(call, legs, noted), key=lambda one: one.at_ms),
        connection=[ConnectionSeen.model_validate(asdict(one)) for one in seen],
    )


def _happenings(
    call: calls.Call, legs: Sequence[calls.CallLeg], noted: Sequence[call_notes.CallNote]
) -> Iterator[Happening]:
    """Who came and went, what was degraded, and what was noted."""
    began = call.started_at
    for leg in legs:
        for at, what in ((leg.joined_at, "joined"), (leg.left_at, "left")):
            if at is not None and began is not None:
                at_ms = max(0, round(1000 * (at - began).total_seconds()))
                cause = leg.cause if what == "left" else None
                yield Happening(
                    at_ms=at_ms,
                    what=what,
                    detail={"leg": leg.leg, "transport": leg.transport, "cause": cause},
                )
    if call.degraded:
        yield Happening(at_ms=0, what="degraded", detail={"part": call.degraded})
    for note in noted:
        plain = {
            name: value
            for name, value in note.what.items()
            if value is None or isinstance(value, str | int | float | bool)
        }
        yield Happening(at_ms=note.at_ms, what=note.note, detail=plain)


@router.get("/calls/{call_id}/strokes")
async def each(here: OneSite, session: Reviewer, call_id: CallId, from_ms: FromMs = 0) -> Strokes:
    """The keystrokes of a window of the call, each at the microphone and at the caller."""
    await here.readings.ask(session, call_id, Action.REVIEW_WORK, kind="track", name=str(Track.OPERATOR_RX))
    recording = await here.library.open(call_id)
    kept = strokes.can_look(recording)
    found = await here.looks.strokes(call_id, recording, from_ms) if kept else []
    return Strokes(
        kept=kept,
        from_ms=from_ms,
        to_ms=from_ms + WINDOW_MS,
        strokes=[
            StrokeOut(
                at_ms=one.at_ms,
                before_db=one.before_db,
                after_db=one.after_db,
                audible_before=one.audible_before,
                audible_after=one.audible_after,
                spoken=one.spoken,
            )
            for one in found
        ],
    )


@router.get(
    "/calls/{call_id}/spectrogram/{side}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def picture(
    here: OneSite, session: Reviewer, call_id: CallId, side: Literal["before", "after"], from_ms: FromMs = 0
) -> Response:
    """A window of one side as a picture: time to the right, 60 Hz to 8 kHz upwards, brighter is louder."""
    track = SIDES[side]
    await here.readings.ask(session, call_id, Action.REVIEW_WORK, kind="track", name=str(track))
    recording = await here.library.open(call_id)
    if track not in recording.tracks:
        raise Problem("no_sound")
    drawn = await run_in_threadpool(_draw, recording, track, from_ms / 1000)
    return Response(drawn, media_type="image/png")


def _draw(source: Source, track: Track, from_s: float) -> bytes:
    sound = stretch(source, track, from_s, strokes.WINDOW_S).astype(np.float32) / np.float32(32768)
    out = BytesIO()
    panel(spectrogram(sound, source.tracks[track].rate_hz), *PICTURE).save(out, "png")
    return out.getvalue()


@router.get("/calls/{call_id}/exposure")
async def hints(here: OneSite, session: Listener, call_id: CallId) -> Exposure:
    """Stretches that may be hard to hear: loud, crying-like or silent for long. A hint, from level and pitch alone."""
    await here.readings.ask(session, call_id, Action.AUDIO_READ, kind="track", name="peaks")
    recording = await here.library.open(call_id)
    found = await here.looks.exposure(call_id, recording)
    return Exposure(
        stretches=[
            HardStretch(start_ms=one.start_ms, end_ms=one.end_ms, kind=exposure.Kind(one.kind), leg=one.leg)
            for one in found
        ]
    )


@router.get("/me/care")
async def care_choices(here: OneSite, session: SignedIn) -> CareChoices:
    """How the asker wants to listen."""
    async with here.database.transaction() as conn:
        found = await care.get(conn, session.person.id)
    return CareChoices(
        sound_off=found.sound_off, softened=found.softened, marked=found.marked, counted=found.counted
    )


@router.put("/me/care", status_code=204)
async def choose_care(here: OneSite, session: SignedIn, asked: CareChoices) -> None:
    """Choose it; nobody else can see what was chosen."""
    async with here.database.transaction() as conn:
        await care.choose(conn, session.person.id, care.Choices(**asked.model_dump()))
