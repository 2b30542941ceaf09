"""What was done during a call, for the lanes under its waveform."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.shift.lanes import lanes
from callsvc.store import call_notes, calls, keystrokes
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.shapes import DoneOut, Lanes, Typing

router = APIRouter(prefix="/api/calls", tags=["reading"])
Listener = Annotated[Session, Depends(door.may(Action.AUDIO_READ))]


@router.get("/{call_id}/lanes")
async def of_call(here: OneSite, session: Listener, call_id: CallId) -> Lanes:
    """Masks, holds, mutes, markers, announcements and what was listened to again, each with its place."""
    await here.readings.ask(session, call_id, Action.AUDIO_READ, kind="track", name="peaks")
    async with here.database.transaction() as conn:
        call = await calls.get(conn, call_id)
        noted = await call_notes.of_call(conn, call_id)
    return Lanes(
        done=[
            DoneOut(lane=one.lane, start_ms=one.start_ms, end_ms=one.end_ms, what=one.what)
            for one in lanes(noted, call.length_ms or 0)
        ]
    )


@router.get("/{call_id}/typing")
async def typed(here: OneSite, session: Listener, call_id: CallId) -> Typing:
    """When the operator typed and how loud it was at the microphone, as the node told it while the call went on."""
    await here.readings.ask(session, call_id, Action.AUDIO_READ, kind="track", name="peaks")
    async with here.database.transaction() as conn:
        strokes = await keystrokes.of_call(conn, call_id)
    return Typing(
        told=strokes is not None,
        at_ms=[at_ms for at_ms, _ in strokes or ()],
        level_db=[level_db for _, level_db in strokes or ()],
    )
