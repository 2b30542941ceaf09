"""An operator's shift: being available, the call that is offered, answering it and taking it up again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends

from callsvc import jobs
from callsvc.access import trail
from callsvc.access.lock import Locked
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.shift import availability, offers, queue, wrap_up
from callsvc.store import Connection
from callsvc.telephony import tokens
from callsvc.types import CallState, Leg, Profile
from callsvc.web import door
from callsvc.web.catalogues import lines
from callsvc.web.door import CallId, OneSite
from callsvc.web.health import media_url
from callsvc.web.problems import Problem, telling
from callsvc.web.shapes_shift import (
    Availability,
    CallInHand,
    CallToWriteUp,
    LineNamed,
    Offer,
    OperatorLeg,
    Shift,
)

router = APIRouter(prefix="/api", tags=["shift"])
Operator = Annotated[Session, Depends(door.may(Action.CALL_TAKE))]
# The call in hand outlives a lock of the screen, and a reload meanwhile.
ThoughLocked = Annotated[Session, Depends(door.may_locked(Action.CALL_TAKE))]
Placer = Annotated[Session, Depends(door.may(Action.DEMO_PLACE))]
CALLER_JOB = "demonstration_caller"


async def standing(conn: Connection, session: Session, at: datetime) -> Shift:
    """How things stand for this operator."""
    person = session.person.id
    since = await availability.since(conn, person, at=at)
    hand = await queue.in_hand(conn, person, at=at)
    waiting = await queue.waiting(conn, at=at)
    offered = offers.offers(waiting, await availability.free(conn, at=at), at).get(person)
    return Shift(
        now=at,
        available_since=since,
        in_hand=_in_hand(hand) if hand else None,
        offer=_offer(offered) if offered else None,
        waiting=len(waiting),
        to_write_up=[
            CallToWriteUp(
                call_id=due.id,
                profile=Profile(due.profile),
                line=_line(due.line),
                started_at=due.started_at,
                ended_at=due.ended_at,
                length_ms=due.length_ms,
                later=due.later,
            )
            for due in await wrap_up.due(conn, person, at=at)
        ],
    )


def _in_hand(call: queue.InHand) -> CallInHand:
    return CallInHand(
        call_id=call.id,
        profile=Profile(call.profile),
        line=_line(call.line),
        state=CallState(call.state),
        demo=call.demo,
        answered_at=call.answered_at,
        started_at=call.started_at,
    )


def _offer(call: offers.Waiting) -> Offer:
    return Offer(
        call_id=call.call, profile=call.profile, line=_line(call.line), demo=call.demo, since=call.since
    )


def _line(name: str | None) -> LineNamed | None:
    """A line by its id; one that is not among the lines any more has no other name."""
    if not name:
        return None
    found = next((one for one in lines().line if one.id == name), None)
    if found is None:
        return LineNamed(id=name, sv=name, en=name, queue="")
    return LineNamed(id=name, sv=found.sv, en=found.en, queue=found.queue)


@router.get("/shift")
async def shift(here: OneSite, session: ThoughLocked) -> Shift:
    """Whether one is available, what is offered, which call is in hand; told to a locked screen, too."""
    async with here.database.transaction() as conn:
        return await standing(conn, session, here.clock.utc_now())


@router.put("/shift")
async def be_available(here: OneSite, session: Operator, asked: Availability) -> Shift:
    """Be available, or cease to be. Being available is said anew every ten seconds."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        before = await availability.since(conn, session.person.id, at=at)
        if asked.available:
            await availability.come(conn, session.person.id, at=at)
        else:
            await availability.leave(conn, session.person.id)
        now = await standing(conn, session, at)
    if (before is None) == asked.available:
        here.changes.poke()
    return now


@router.post("/calls/{call_id}/answer")
async def answer(here: OneSite, session: ThoughLocked, call_id: CallId) -> OperatorLeg:
    """Answer a waiting call, or take up again the one in hand, with a fresh token for the operator's leg.

    A locked screen takes up the one in hand, and answers none.
    """
    at = here.clock.utc_now()
    person = session.person.id
    async with here.database.transaction() as conn:
        before = await queue.in_hand(conn, person, at=at)
        if before is not None and before.id != call_id:
            raise Problem("one_call_at_a_time")
        if before is None and door.locked(here, session):
            raise Locked
        with telling({queue.Taken: "call_taken", queue.Over: "call_over"}):
            taken = await queue.answer(conn, call_id, person, at=at)
        if before is None:
            await trail.record(
                conn,
                user_id=person,
                action="call.answer",
                object_kind="call",
                object_id=str(call_id),
                call_id=call_id,
                at=at,
            )
    here.changes.poke()
    profile = Profile(taken.profile)
    token = tokens.issue(
        here.token_key,
        at,
        call=str(call_id),
        leg=Leg.OPERATOR,
        profile=profile,
        subject=str(person),
        demonstration=taken.demo,
        node=taken.node or "",
    )
    return OperatorLeg(
        call_id=call_id,
        profile=profile,
        demo=taken.demo,
        media_url=media_url(here.settings, taken.node),
        token=token,
    )


@router.post("/demo-callers", status_code=202)
async def place_caller(here: OneSite, session: Placer) -> None:
    """Have a demonstration caller ring, with a recorded voice; one at a time."""
    async with here.database.transaction() as conn:
        if await jobs.defer(conn, CALLER_JOB, once=CALLER_JOB, by=str(session.person.id)) is None:
            raise Problem("demo_running")
