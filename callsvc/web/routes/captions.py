"""Captions of a call that goes on: server-sent events (WHATWG HTML, section 9.2), for its operator and for a supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from callsvc.access import reasons, trail
from callsvc.access.ownership import demand_call, owns
from callsvc.access.rights import Action, allowed
from callsvc.access.sessions import Session
from callsvc.errors import Conflict, Unavailable
from callsvc.store import Connection, calls, captions
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.types import CallState, Leg
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_transcripts import CaptionCorrection, CaptionOut, CaptionState
from callsvc.web.site import Site

router = APIRouter(prefix="/api/calls", tags=["captions"])
Watcher = Annotated[Session, Depends(door.may(Action.CAPTIONS_READ))]
Writer = Annotated[Session, Depends(door.may(Action.CALL_NOTE))]
LOOK_EVERY_S: Final = 0.3
STILL_EVERY_S: Final = 15.0
SILENT: Final = timedelta(seconds=8)
"""A state that is older is nobody's any more: the process that wrote it is gone."""


@router.get(
    "/{call_id}/captions",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `state` and `caption`."}},
)
async def watch(request: Request, here: OneSite, session: Watcher, call_id: CallId) -> Response:
    """What is said, as it is said. Events: `state` (on, behind, off), `caption` (a CaptionOut), `over`, `still`.

    The operator reads along in a call of their own; anybody else has opened it with a reason. Either leaves a line in
    the access log.
    """
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CAPTIONS_READ, call_id)
        await _note(here, conn, session, call_id)
    token = request.cookies[door.cookie_name(here)]
    here.changes.admit()
    return StreamingResponse(
        _stream(here, token, session, call_id),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _note(here: Site, conn: Connection, session: Session, call_id: UUID) -> None:
    """One's own conversation needs no reason; it is written down all the same."""
    at = here.clock.utc_now()
    if await owns(conn, session.person.id, call_id):
        await trail.record(
            conn,
            user_id=session.person.id,
            action=Action.CAPTIONS_READ,
            object_kind="captions",
            object_id="captions",
            call_id=call_id,
            at=at,
        )
        return
    await reasons.read(
        conn, session, call_id, Action.CAPTIONS_READ, object_kind="captions", object_id="captions", at=at
    )


async def _stream(here: Site, token: str, session: Session, call_id: UUID) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    loop = asyncio.get_running_loop()
    told, change, checked = "", 0, loop.time()
    while not here.changes.closing.is_set():
        try:
            async with here.database.transaction() as conn:
                found = await captions.since(conn, call_id, change)
                now = _state(await captions.state(conn, call_id), here.clock.utc_now())
                over = (await calls.get(conn, call_id)).state == CallState.ENDED
        except Unavailable:
            found, now, over = [], CaptionState(state="off", why="database", delay_ms=0), False
        if (shown := now.model_dump_json()) != told:
            told = shown
            yield f"event: state\ndata: {shown}\n\n"
        for row in found:
            change = max(change, row.change)
            yield f"event: caption\ndata: {_caption(row).model_dump_json()}\n\n"
        if over and now.state == "off":
            yield "event: over\ndata: {}\n\n"
            return
        if loop.time() - checked >= STILL_EVERY_S:
            checked = loop.time()
            there = await door.still_there(here, token, session)
            if there is None or not allowed(there.person.roles, Action.CAPTIONS_READ):
                return
            yield "event: still\ndata: {}\n\n"
        await asyncio.sleep(LOOK_EVERY_S)


@router.put("/{call_id}/captions/{leg}/{n}")
async def correct(
    here: OneSite, session: Writer, call_id: CallId, leg: Leg, n: int, asked: CaptionCorrection
) -> CaptionOut:
    """Put a word right while the call goes on; the transcript takes it over as a correction of the same person."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        meant = " ".join(asked.meant.split())
        try:
            row = await captions.correct(
                conn, call_id, leg, n, asked.word, asked.heard, meant, user_id=session.person.id, at=at
            )
        except Conflict:
            raise Problem("edited_meanwhile") from None
        await trail.record(
            conn,
            user_id=session.person.id,
            action="captions.correct",
            object_kind="captions",
            object_id=f"{leg} {n}",
            call_id=call_id,
            at=at,
        )
    return _caption(row)


def _caption(row: CaptionRow) -> CaptionOut:
    return CaptionOut(
        leg=Leg(row.leg),
        n=row.n,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        text=row.text if row.corrected is None else row.corrected,
        final=row.final,
        machine=None if row.corrected is None else row.text,
    )


def _state(found: StateRow | None, now: datetime) -> CaptionState:
    if found is None:
        return CaptionState(state="off", why="none", delay_ms=0)
    if (found.state != "off" or found.why == "crowded") and now - found.at > SILENT:
        return CaptionState(state="off", why="silent", delay_ms=0)
    # Its exact size would change all the time; whole seconds are what a reader can use.
    return CaptionState(state=found.state, why=found.why, delay_ms=found.delay_ms // 1000 * 1000)
