"""The access log: who looked at what, when and why, and whether it is whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from callsvc.access import people, trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.access.trail import AccessEvent
from callsvc.clock import isoformat
from callsvc.errors import VerificationFailed
from callsvc.web import door, spreadsheet
from callsvc.web.door import OneSite
from callsvc.web.shapes import AccessEventList, AccessEventOut, Chain, Who, WhoList
from callsvc.web.site import Site

router = APIRouter(prefix="/api/access-events", tags=["access log"])
Records = Annotated[Session, Depends(door.may(Action.TRAIL_READ))]
PAGE = 100
EXPORTED = 1000
COLUMNS = (
    "number", "time", "user", "action", "object_kind", "object", "call", "reason", "detail", "previous_hash", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines of the log are meant; what is left out leaves none out."""

    user_id: UUID | None = None
    call_id: UUID | None = None
    action: Annotated[str | None, Query(max_length=60)] = None
    since: datetime | None = None
    until: datetime | None = None

    def fields(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "call_id": self.call_id,
            "action": self.action or None,
            "since": _aware(self.since),
            "until": _aware(self.until),
        }


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


@router.get("")
async def listing(
    here: OneSite,
    _session: Records,
    sought: Annotated[Sought, Depends()],
    before: Annotated[int | None, Query(ge=1)] = None,
) -> AccessEventList:
    """What was looked at and changed, newest first."""
    async with here.database.transaction() as conn:
        found = await trail.events(conn, **sought.fields(), before=before, limit=PAGE + 1)
        known = {person.id: person for person in await people.listing(conn)}
    page = found[:PAGE]
    return AccessEventList(
        events=[_shape(event, known) for event in page], next=page[-1].id if len(found) > PAGE else None
    )


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export(here: OneSite, session: Records, sought: Annotated[Sought, Depends()]) -> Response:
    """The same lines as a file (RFC 4180), with the hashes that chain them. That it was fetched is a line, too."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        asked = {name: str(value) for name, value in sought.fields().items() if value is not None}
        await trail.record(
            conn,
            user_id=session.person.id,
            action="trail.export",
            object_kind="trail",
            object_id="",
            detail=asked,
            at=at,
        )
    name = f"access-log-{at:%Y%m%d-%H%M}.csv"
    return StreamingResponse(
        _rows(here, sought),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _rows(here: Site, sought: Sought) -> AsyncIterator[str]:
    async with here.database.transaction() as conn:
        known = {person.id: person.name for person in await people.listing(conn)}
    yield spreadsheet.BOM + spreadsheet.row(COLUMNS)
    before: int | None = None
    while True:
        async with here.database.transaction() as conn:
            page = await trail.events(conn, **sought.fields(), before=before, limit=EXPORTED)
        for event in page:
            yield spreadsheet.row(
                (
                    str(event.id),
                    isoformat(event.at),
                    known.get(event.user_id, str(event.user_id)) if event.user_id else "",
                    event.action,
                    event.object_kind,
                    event.object_id,
                    str(event.call_id or ""),
                    event.reason,
                    json.dumps(event.detail, sort_keys=True, ensure_ascii=False),
                    event.prev_hash.hex(),
                    event.hash.hex(),
                )
            )
        if len(page) < EXPORTED:
            return
        before = page[-1].id


@router.get("/people")
async def who(here: OneSite, _session: Records) -> WhoList:
    """Everybody that the log can name."""
    async with here.database.transaction() as conn:
        return WhoList(
            people=[_who(person) for person in await people.listing(conn)],
            actions=await trail.actions(conn),
        )


@router.get("/chain")
async def chain(here: OneSite, _session: Records) -> Chain:
    """Read the whole log and say whether a line was changed, taken out or put in."""
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        try:
            head = await trail.verify(conn)
        except VerificationFailed as error:
            named = error.values.get("event")
            last = await trail.head(conn)
            return Chain(
                whole=False,
                events=last.id,
                head=None,
                broken_at=named if isinstance(named, int) else None,
                at=at,
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
    return (
        event.object_id if event.object_kind in ("track", "catalogue", "model", "case", "retention") else None
    )
