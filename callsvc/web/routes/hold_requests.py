"""Asking that a call be kept from deletion, and answering it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from callsvc.access import trail
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import Conflict
from callsvc.retention import requests
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_retention import HoldAnswer, HoldRequest, HoldStanding

router = APIRouter(prefix="/api", tags=["retention"])
Asker = Annotated[Session, Depends(door.may(Action.HOLD_ASK))]
Decider = Annotated[Session, Depends(door.may(Action.RETENTION_DECIDE))]


@router.get("/calls/{call_id}/hold")
async def standing(here: OneSite, session: Asker, call_id: CallId) -> HoldStanding:
    """Whether an order keeps the call, and what became of the last request."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.HOLD_ASK, call_id)
        kept = await requests.held(conn, call_id)
        last = await requests.latest(conn, call_id)
    return HoldStanding(
        held=kept,
        asked_at=last.at if last else None,
        granted=last.granted if last else None,
        answer=last.answer if last else "",
    )


@router.post("/calls/{call_id}/hold-requests", status_code=204)
async def ask(here: OneSite, session: Asker, call_id: CallId, asked: HoldRequest) -> None:
    """Ask that the call be kept. From now until the answer it is."""
    at, reason = here.clock.utc_now(), " ".join(asked.reason.split())
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.HOLD_ASK, call_id)
        try:
            await requests.ask(conn, call_id, reason=reason, by=session.person.id, at=at)
        except Conflict:
            raise Problem("conflict") from None
        await trail.record(
            conn, user_id=session.person.id, action=Action.HOLD_ASK, object_kind="call", object_id=str(call_id),
            call_id=call_id, reason=reason, at=at,
        )  # fmt: skip


@router.post("/retention/hold-requests/{request_id}/answer", status_code=204)
async def answer(here: OneSite, session: Decider, request_id: UUID, asked: HoldAnswer) -> None:
    """Grant the request, which places an order for its reason, or refuse it with a word why."""
    at, words = here.clock.utc_now(), " ".join(asked.words.split())
    if not asked.granted and not words:
        raise Problem("invalid")
    async with here.database.transaction() as conn:
        found = await requests.answer(
            conn, request_id, granted=asked.granted, words=words, by=session.person.id, at=at
        )
        await trail.record(
            conn, user_id=session.person.id, action="hold.place" if asked.granted else "hold.refuse", object_kind="call",
            object_id=str(found.call_id), call_id=found.call_id, reason=found.reason if asked.granted else words, at=at,
        )  # fmt: skip
