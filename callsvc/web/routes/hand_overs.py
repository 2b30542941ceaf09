"""Calls handed from one person to another by name, with the place kept: nobody gains a right by it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from callsvc.access import trail
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action, Scope, scope
from callsvc.access.sessions import Session
from callsvc.review import hand_overs
from callsvc.store import Connection
from callsvc.types import Profile, Role
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_hand_overs import ColleagueOut, Colleagues, HandOverList, HandOverOut, NewHandOver

router = APIRouter(prefix="/api", tags=["hand-overs"])
Giver = Annotated[Session, Depends(door.may(Action.HANDOVER_GIVE))]
Taker = Annotated[Session, Depends(door.may(Action.HANDOVER_TAKE))]


def receivers(action: Action) -> list[Role]:
    """The roles that take over and may do this with every call, whoever's it is."""
    return [
        role
        for role in Role
        if scope([role], action) is Scope.ALL and scope([role], Action.HANDOVER_TAKE) is Scope.ALL
    ]


async def demand_receiver(conn: Connection, to: UUID, *, but: UUID, action: Action) -> None:
    """Raises `Problem` unless this is somebody to whom it can be handed."""
    if to not in {one.id for one in await hand_overs.colleagues(conn, receivers(action), but=but)}:
        raise Problem("cannot_take_over")


@router.get("/calls/{call_id}/colleagues")
async def colleagues(here: OneSite, session: Giver, call_id: CallId, review: bool = False) -> Colleagues:
    """To whom this call, or the review of it, can be handed: those who may open it by a right of their own."""
    action = Action.REVIEW_WORK if review else Action.CALL_OPEN
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.HANDOVER_GIVE, call_id)
        found = await hand_overs.colleagues(conn, receivers(action), but=session.person.id)
    return Colleagues(people=[ColleagueOut(id=one.id, display_name=one.display_name) for one in found])


@router.post("/calls/{call_id}/hand-overs", status_code=204)
async def give(here: OneSite, session: Giver, call_id: CallId, asked: NewHandOver) -> None:
    """Hand it to a colleague, who finds it in their list."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.HANDOVER_GIVE, call_id)
        await demand_receiver(conn, asked.to, but=session.person.id, action=Action.CALL_OPEN)
        await hand_overs.give(
            conn, call_id, session.person.id, asked.to,
            place_ms=asked.place_ms, word=" ".join(asked.word.split()), at=at,
        )  # fmt: skip
        await trail.record(
            conn, user_id=session.person.id, action=Action.HANDOVER_GIVE, object_kind="user", object_id=str(asked.to),
            call_id=call_id, at=at,
        )  # fmt: skip
    here.changes.poke()


@router.get("/hand-overs")
async def waiting(here: OneSite, session: Taker) -> HandOverList:
    """What was handed to the asker and waits for them."""
    async with here.database.transaction() as conn:
        found = await hand_overs.waiting(conn, session.person.id)
    # A right may have been taken away since; then so is what was handed over.
    reviews = scope(session.person.roles, Action.REVIEW_WORK) is Scope.ALL
    return HandOverList(
        hand_overs=[
            HandOverOut(
                id=one.id,
                call_id=one.call_id,
                review_id=one.review_id,
                from_name=one.from_name,
                profile=Profile(one.profile),
                started_at=one.started_at,
                place_ms=one.place_ms,
                word=one.word,
                at=one.at,
            )
            for one in found
            if one.review_id is None or reviews
        ]
    )


@router.post("/hand-overs/{hand_over_id}/taking", status_code=204)
async def take(
    here: OneSite, session: Taker, hand_over_id: Annotated[UUID, Depends(door.hand_over_id)]
) -> None:
    """It has been taken up, and leaves the list."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        call = await hand_overs.take(conn, hand_over_id, session.person.id, at=at)
        await trail.record(
            conn, user_id=session.person.id, action=Action.HANDOVER_TAKE, object_kind="call", object_id=str(call),
            call_id=call, at=at,
        )  # fmt: skip
    here.changes.poke()
