"""Search in what was said."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from callsvc.access import reasons
from callsvc.access.rights import Action, demand
from callsvc.access.sessions import Session
from callsvc.errors import ReasonRequired, UsageError
from callsvc.shift import cases, wrap_up
from callsvc.store import Connection, spoken
from callsvc.transcripts.sentences import sentences
from callsvc.types import Leg
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_transcripts import FoundWord, HitList, HitOut

router = APIRouter(prefix="/api", tags=["search"])
Reader = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_READ))]


@router.get("/search")
async def search(
    here: OneSite,
    session: Reader,
    q: Annotated[str, Query(max_length=200)],
    call: Annotated[list[UUID], Query(max_length=500)] = [],  # noqa: B006  FastAPI copies it
    case: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> HitList:
    """Sentences that hold what is sought, in calls or in a case that this session has opened.

    Of what it has not opened it does not even say how many there are.
    """
    if not spoken.query(q):
        raise Problem("nothing_sought")
    async with here.database.transaction() as conn:
        wanted = list(dict.fromkeys([*call, *(await _of_case(conn, session, case) if case else ())]))
        opened = [one for one in wanted if await reasons.reason_for(conn, session, one) is not None]
    # A call that was named must be open; of a case, what is open is searched.
    if not opened or not set(call) <= set(opened):
        raise ReasonRequired
    for one in opened:
        await here.readings.ask(session, one, Action.TRANSCRIPT_READ, kind="transcript", name="search")
    async with here.database.transaction() as conn:
        found = await spoken.search(conn, opened, q, limit=limit + 1, offset=offset)
    return HitList(
        hits=[
            HitOut(
                call_id=hit.call_id,
                case=hit.case_number,
                at=hit.at,
                n=hit.n,
                leg=Leg(hit.leg),
                start_ms=one.start_ms,
                end_ms=one.end_ms,
                layer=one.layer,
                replaced=hit.replaced,
                sentence=[FoundWord(text=word, found=sought) for word, sought in one.words],
            )
            for hit in found[:limit]
            for one in sentences(hit)
        ],
        more=len(found) > limit,
    )


async def _of_case(conn: Connection, session: Session, number: str) -> list[UUID]:
    demand(session.person.roles, Action.CASE_READ)
    try:
        wanted = wrap_up.case_number(number) or ""
    except UsageError:
        return []
    return [one.id for one in await cases.calls_of(conn, wanted)]
