"""What was done during a call, for the lanes under its waveform."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.shift.lanes import lanes
from callsvc.store import call_notes, calls
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.shapes import DoneOut, Lanes

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
