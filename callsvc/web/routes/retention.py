"""How long calls are kept: what the rules would do in a night, what is held, and when cases were closed.

Nothing is deleted here. Whoever asks is told of lines, times and rules, never of people or of what was said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from callsvc.access import people, trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.clock import isoformat
from callsvc.errors import UsageError
from callsvc.retention import holds, requests
from callsvc.retention.rules import rules
from callsvc.retention.tonight import PAGE, Judged, Outcome, judge
from callsvc.shift import wrap_up
from callsvc.shift.guides import guides
from callsvc.store import Connection
from callsvc.web import door, spreadsheet
from callsvc.web.door import OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes import Who
from callsvc.web.shapes_retention import (
    CaseClosing,
    ClosingOut,
    HoldAsked,
    HoldList,
    HoldOut,
    Lifting,
    NewHold,
    RetentionCall,
    RetentionNight,
    RetentionRule,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api/retention", tags=["retention"])
Records = Annotated[Session, Depends(door.may(Action.RETENTION_READ))]
Decider = Annotated[Session, Depends(door.may(Action.RETENTION_DECIDE))]
Number = Annotated[str, Path(max_length=60)]
RuleName = Annotated[str | None, Query(max_length=40)]
EXPORTED = 5000
LAST_NIGHT = date(2200, 1, 1)
COLUMNS = (
    "call", "line", "demonstration", "began", "length_s", "case", "outcome", "rule", "basis", "last_day",
    "recordings", "transcripts", "copies", "disclosures",
)  # fmt: skip


@router.get("")
async def tonight(
    here: OneSite,
    _session: Records,
    night: date | None = None,
    outcome: Outcome = "due",
    rule: RuleName = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> RetentionNight:
    """What would be deleted, in the coming night if no other is named; the calls with this outcome, oldest first."""
    in_force = rules()
    on = _night(here, night)
    async with here.database.transaction() as conn:
        found = await judge(
            conn, in_force, on, outcome=outcome, rule=rule or None, limit=PAGE + 1, offset=offset
        )
    known = {one.id for one in guides().label}

    def many(what: Outcome, rule: str | None = None) -> int:
        return sum(n for (name, told), n in found.counts.items() if told == what and rule in (None, name))

    return RetentionNight(
        night=on,
        version=in_force.version,
        rules=[
            RetentionRule.model_validate(
                one.model_dump()
                | {"unknown_labels": [label for label in one.labels if label not in known]}
                | {
                    "due": many("due", one.id),
                    "held": many("held", one.id),
                    "waiting": many("waiting", one.id),
                }
            )
            for one in in_force.rule
        ],
        due=many("due"),
        held=many("held"),
        waiting=many("waiting"),
        unruled=many("unruled"),
        calls=[_call(one) for one in found.calls[:PAGE]],
        next=offset + PAGE if len(found.calls) > PAGE else None,
    )


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export(
    here: OneSite,
    session: Records,
    night: date | None = None,
    outcome: Outcome = "due",
    rule: RuleName = None,
) -> Response:
    """The same calls, all of them, as a file (RFC 4180). That it was fetched is a line in the access log."""
    on = _night(here, night)
    async with here.database.transaction() as conn:
        await trail.record(
            conn,
            user_id=session.person.id,
            action="retention.export",
            object_kind="retention",
            object_id=outcome,
            detail={"night": on.isoformat(), "rule": rule or ""},
            at=here.clock.utc_now(),
        )
    return StreamingResponse(
        _rows(here, on, outcome, rule or None),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="retention-{on:%Y%m%d}-{outcome}.csv"'},
    )


async def _rows(here: Site, night: date, outcome: Outcome, rule: str | None) -> AsyncIterator[str]:
    in_force = rules()
    basis = {one.id: one.basis for one in in_force.rule}
    yield spreadsheet.BOM + spreadsheet.row(COLUMNS)
    offset = 0
    while True:
        async with here.database.transaction() as conn:
            page = (
                await judge(conn, in_force, night, outcome=outcome, rule=rule, limit=EXPORTED, offset=offset)
            ).calls
        for one in page:
            yield spreadsheet.row(
                (
                    str(one.id),
                    one.profile,
                    "yes" if one.demo else "no",
                    isoformat(one.started_at),
                    "" if one.length_ms is None else str(one.length_ms // 1000),
                    one.case,
                    one.outcome,
                    one.rule or "",
                    basis.get(one.rule or "", ""),
                    one.last_day.isoformat() if one.last_day else "",
                    *(str(n) for n in one.follow.values()),
                )
            )
        if len(page) < EXPORTED:
            return
        offset += EXPORTED


@router.get("/holds")
async def orders(here: OneSite, _session: Records) -> HoldList:
    """Requests that wait for an answer; orders to keep, those in force first; and the cases that were closed."""
    async with here.database.transaction() as conn:
        found = await holds.listing(conn)
        closed = await holds.closings(conn)
        asked = await requests.waiting(conn)
        known = {
            one.id: Who(id=one.id, name=one.name, display_name=one.display_name)
            for one in await people.listing(conn)
        }
    return HoldList(
        asked=[
            HoldAsked(id=one.id, call_id=one.call_id, reason=one.reason, by=known.get(one.by_id), at=one.at)
            for one in asked
        ],
        holds=[
            HoldOut.model_validate(
                {name: value for name, value in asdict(one).items() if name not in ("by_id", "lifted_by")}
                | {"by": known.get(one.by_id), "lifted_by": one.lifted_by and known.get(one.lifted_by)}
            )
            for one in found
        ],
        closings=[
            ClosingOut(
                case_number=one.case_number, closed_on=one.closed_on, by=known.get(one.by_id), at=one.at
            )
            for one in closed
        ],
    )


@router.post("/holds", status_code=204)
async def hold(here: OneSite, session: Decider, asked: NewHold) -> None:
    """Order that a call, or every call of a case, be kept whatever the rules say."""
    case = _number(asked.case_number) if asked.case_number else None
    if (case is None) == (asked.call_id is None):
        raise Problem("invalid")
    at = here.clock.utc_now()
    reason = " ".join(asked.reason.split())
    async with here.database.transaction() as conn:
        await holds.place(conn, call=asked.call_id, case=case, reason=reason, by=session.person.id, at=at)
        await _note(conn, here, session, "hold.place", case or "", reason, call=asked.call_id)


@router.post("/holds/{hold_id}/lifting", status_code=204)
async def lift(here: OneSite, session: Decider, hold_id: UUID, asked: Lifting) -> None:
    """The order ends: from now on the rules speak of the call again."""
    reason = " ".join(asked.reason.split())
    async with here.database.transaction() as conn:
        found = await holds.lift(conn, hold_id, why=reason, by=session.person.id, at=here.clock.utc_now())
        await _note(conn, here, session, "hold.lift", found.case_number or "", reason, call=found.call_id)


@router.put("/closings/{number}", status_code=204)
async def close_case(here: OneSite, session: Decider, number: Number, asked: CaseClosing) -> None:
    """The case was closed on this day: from then on the time of its calls runs."""
    name = _number(number)
    at = here.clock.utc_now()
    if asked.closed_on > rules().day(at):
        raise Problem("invalid")
    async with here.database.transaction() as conn:
        await holds.close_case(conn, name, on=asked.closed_on, by=session.person.id, at=at)
        await _note(conn, here, session, "case.close", name, asked.closed_on.isoformat())


@router.post("/closings/{number}/reopening", status_code=204)
async def reopen_case(here: OneSite, session: Decider, number: Number) -> None:
    """The case is open after all: no time runs for its calls."""
    name = _number(number)
    async with here.database.transaction() as conn:
        await holds.reopen_case(conn, name)
        await _note(conn, here, session, "case.reopen", name, "")


def _night(here: Site, asked: date | None) -> date:
    """The day that the night in question goes over into: the next one, if nothing else is asked."""
    coming = rules().day(here.clock.utc_now()) + timedelta(days=1)
    return min(max(asked, coming), LAST_NIGHT) if asked else coming


def _number(text: str) -> str:
    try:
        found = wrap_up.case_number(text)
    except UsageError:
        raise Problem("invalid") from None
    if found is None:
        raise Problem("invalid")
    return found


async def _note(
    conn: Connection,
    here: Site,
    session: Session,
    action: str,
    case: str,
    reason: str,
    *,
    call: UUID | None = None,
) -> None:
    await trail.record(
        conn,
        user_id=session.person.id,
        action=action,
        object_kind="call" if call else "case",
        object_id=str(call) if call else case,
        call_id=call,
        reason=reason,
        at=here.clock.utc_now(),
    )


def _call(one: Judged) -> RetentionCall:
    told = {name: value for name, value in asdict(one).items() if name != "outcome"}
    return RetentionCall.model_validate(told)
