"""The access log: who looked at what, when and why, and whether it is whole."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from callsvc.access import people, trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.access.trail import AccessEvent
from callsvc.errors import VerificationFailed
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.shapes import AccessEventList, AccessEventOut, Chain, Who, WhoList

router = APIRouter(prefix="/api/access-events", tags=["access log"])
Records = Annotated[Session, Depends(door.may(Action.TRAIL_READ))]
PAGE = 100


@router.get("")
async def listing(
    here: OneSite,
    _session: Records,
    user_id: UUID | None = None,
    call_id: UUID | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> AccessEventList:
    """What was looked at and changed, newest first."""
    async with here.database.transaction() as conn:
        found = await trail.events(conn, user_id=user_id, call_id=call_id, before=before, limit=PAGE + 1)
        known = {person.id: person for person in await people.listing(conn)}
    page = found[:PAGE]
    return AccessEventList(
        events=[_shape(event, known) for event in page], next=page[-1].id if len(found) > PAGE else None
    )


@router.get("/people")
async def who(here: OneSite, _session: Records) -> WhoList:
    """Everybody that the log can name."""
    async with here.database.transaction() as conn:
        return WhoList(people=[_who(person) for person in await people.listing(conn)])


@router.get("/chain")
async def chain(here: OneSite, _session: Records) -> Chain:
    """Read the whole log and say whether a line was changed, taken out or put in."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        try:
            head = await trail.verify(conn)
        except VerificationFailed as error:
            named = re.search(r"event (\d+)", error.message)
            last = await trail.head(conn)
            return Chain(
                whole=False, events=last.id, head=None, broken_at=int(named[1]) if named else None, at=at
            )
    return Chain(whole=True, events=head.id, head=head.hash.hex() if head.id else None, broken_at=None, at=at)


def _who(person: people.Person) -> Who:
    return Who(id=person.id, name=person.name, display_name=person.display_name)


def _shape(event: AccessEvent, known: dict[UUID, people.Person]) -> AccessEventOut:
    actor = known.get(event.user_id) if event.user_id else None
    return AccessEventOut(
        id=event.id,
        at=event.at,
        person=_who(actor) if actor else None,
        action=event.action,
        object=_object(event, known),
        call_id=event.call_id,
        reason=event.reason,
    )


def _object(event: AccessEvent, known: dict[UUID, people.Person]) -> str | None:
    if event.object_kind == "user":
        about = known.get(UUID(event.object_id))
        roles = event.detail.get("roles")
        name = about.name if about else event.object_id
        return f"{name}: {roles}" if roles is not None else name
    return event.object_id if event.object_kind in ("track", "catalogue") else None
