"""Cases: which there are, and the calls of one on one line."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, Path, Query

from callsvc.access import reasons
from callsvc.access.rights import Action, demand
from callsvc.access.sessions import Session
from callsvc.errors import NotFound, UsageError
from callsvc.shift import cases, wrap_up
from callsvc.types import Profile
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes import Access
from callsvc.web.shapes_notes import CaseCall, CaseDetail, CaseList, CaseOut, MomentOut

router = APIRouter(prefix="/api/cases", tags=["cases"])
Reader = Annotated[Session, Depends(door.may(Action.CASE_READ))]
Opener = Annotated[Session, Depends(door.may(Action.CALL_OPEN))]


@router.get("")
async def listing(
    here: OneSite, _session: Reader, beginning: Annotated[str, Query(max_length=60)] = ""
) -> CaseList:
    """Cases whose number begins so, the latest first."""
    async with here.database.transaction() as conn:
        found = await cases.listing(conn, "".join(beginning.split()).upper())
    return CaseList(
        cases=[
            CaseOut(number=one.number, calls=one.calls, first_at=one.first_at, last_at=one.last_at)
            for one in found
        ]
    )


@router.post("/{number}/access", status_code=204)
async def open_case(
    here: OneSite, session: Opener, number: Annotated[str, Path(max_length=60)], asked: Access
) -> None:
    """Open every call of a case for this session, for one reason; each is a line in the access log."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        demand(session.person.roles, Action.CASE_READ)
        found = await cases.calls_of(conn, _number(number))
        if not found:
            raise NotFound
        for call in found:
            try:
                await reasons.open_call(conn, session, call.id, asked.reason, at=at)
            except UsageError:
                raise Problem("reason_too_short") from None


def _number(text: str) -> str:
    try:
        return wrap_up.case_number(text) or ""
    except UsageError:
        raise NotFound from None


@router.get("/{number}")
async def one(here: OneSite, session: Reader, number: Annotated[str, Path(max_length=60)]) -> CaseDetail:
    """A case's calls, each with what was marked and ticked in it, and what it was about."""
    wanted = _number(number)
    async with here.database.transaction() as conn:
        found = await cases.calls_of(conn, wanted)
        opened = {call.id for call in found if await reasons.reason_for(conn, session, call.id) is not None}
    if not found:
        raise NotFound
    await here.readings.case(session, wanted)
    return CaseDetail(
        number=wanted,
        calls=[
            CaseCall(
                call_id=call.id,
                profile=Profile(call.profile),
                started_at=call.started_at,
                length_ms=call.length_ms,
                labels=call.labels,
                told=call.told,
                # What somebody wrote is read with a reason, like the rest of what was written.
                hand_over=call.hand_over if call.id in opened else "",
                moments=[
                    MomentOut(
                        kind=cast(Literal["marker", "tick"], moment.kind),
                        what=moment.what,
                        at_ms=moment.at_ms,
                    )
                    for moment in call.moments
                ],
                opened=call.id in opened,
            )
            for call in found
        ],
    )
