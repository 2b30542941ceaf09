"""Search in what was said."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from callsvc.access import reasons, trail
from callsvc.access.rights import Action, demand
from callsvc.access.sessions import Session
from callsvc.errors import ReasonRequired, UsageError
from callsvc.shift import cases, wrap_up
from callsvc.store import Connection, finding, spoken
from callsvc.transcripts.sentences import sentences
from callsvc.types import Leg, Profile
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_transcripts import (
    FoundCallOut,
    FoundCalls,
    FoundWord,
    HitList,
    HitOut,
    SentenceOut,
    Sought,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api", tags=["search"])
Reader = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_READ))]
Seeker = Annotated[Session, Depends(door.may(Action.SEARCH_ALL))]
PAGE: Final = 20
"""Utterances, or calls where no text is sought, that one answer holds."""


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


@router.post("/search/calls")
async def everywhere(here: OneSite, session: Seeker, asked: Sought) -> FoundCalls:
    """Calls that fit, with the sentences in which the text was said, in every call that the asker may know of.

    A text is sought for a purpose; every call whose words are shown gets a line in the access log under it.
    """
    purpose = " ".join(asked.purpose.split())
    if asked.text.strip():
        if not spoken.query(asked.text):
            raise Problem("nothing_sought")
        if len(purpose) < reasons.MIN_LENGTH:
            raise ReasonRequired
    wanted = finding.Wanted(
        case="".join(asked.case.split()).upper(),
        operator=asked.operator.strip(),
        language=asked.language,
        profile=asked.profile or "",
        since=asked.since,
        until=asked.until,
        least_ms=asked.least_ms,
        most_ms=asked.most_ms,
    )
    async with here.database.transaction() as conn:
        found, go_on = await finding.find(
            conn, asked.text, wanted, limit=PAGE, after=_place(asked.after) if asked.after else None
        )
        open_now = await reasons.opened(conn, session, [call.id for call in found])
        await _note(here, conn, session, purpose, found)
    return FoundCalls(
        calls=[_call(call, call.id in open_now) for call in found],
        next=_mark(go_on) if go_on else None,
    )


async def _note(
    here: Site, conn: Connection, session: Session, purpose: str, found: list[finding.FoundCall]
) -> None:
    """What was sought stays out of a log that nobody can ever change; whose words were shown does not."""
    if shown := [call.id for call in found if call.hits]:
        await trail.record_each(
            conn,
            shown,
            user_id=session.person.id,
            action=Action.SEARCH_ALL,
            object_kind="transcript",
            object_id="search",
            reason=purpose,
            at=here.clock.utc_now(),
        )


def _mark(place: finding.Place) -> str:
    # Microseconds, as the database has them: an answer must go on exactly where the last one ended.
    text = f"{place.at.isoformat()} {place.call} {place.start_ms} {place.n}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _place(mark: str) -> finding.Place:
    try:
        at, call, start_ms, n = base64.urlsafe_b64decode(mark.encode()).decode().split(" ")
        found = finding.Place(datetime.fromisoformat(at), UUID(call), int(start_ms), int(n))
    except ValueError:
        raise Problem("invalid") from None
    if found.at.tzinfo is None or not all(-1 <= one < 1 << 31 for one in (found.start_ms, found.n)):
        raise Problem("invalid")
    return found


def _call(call: finding.FoundCall, opened: bool) -> FoundCallOut:
    return FoundCallOut(
        call_id=call.id,
        profile=Profile(call.profile),
        started_at=call.started_at,
        length_ms=call.length_ms,
        case=call.case_number,
        operator=call.operator,
        language=call.language,
        opened=opened,
        sentences=[
            SentenceOut(
                n=hit.n,
                leg=Leg(hit.leg),
                start_ms=one.start_ms,
                end_ms=one.end_ms,
                replaced=hit.replaced,
                words=[FoundWord(text=word, found=sought) for word, sought in one.words],
            )
            for hit in call.hits
            for one in sentences(hit)
        ],
    )


async def _of_case(conn: Connection, session: Session, number: str) -> list[UUID]:
    demand(session.person.roles, Action.CASE_READ)
    try:
        wanted = wrap_up.case_number(number) or ""
    except UsageError:
        return []
    return [one.id for one in await cases.calls_of(conn, wanted)]
