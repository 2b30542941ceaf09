"""Handing out: on which ground, exactly what leaves, and that it was done or refused."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from callsvc.access import people
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.disclosures import bases, record
from callsvc.errors import UsageError
from callsvc.ids import new_id
from callsvc.store import Connection, calls, layers, transcripts
from callsvc.transcripts.layers import in_force
from callsvc.transcripts.layers.redacting import load, shown
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes import Who
from callsvc.web.shapes_disclosures import (
    BasesOut,
    BasisOut,
    Decision,
    DisclosureList,
    DisclosureOut,
    Leaving,
    LeavingLine,
    Silenced,
)
from callsvc.web.shapes_notes import ChoiceOut
from callsvc.web.spoken_words import done, leave

router = APIRouter(prefix="/api", tags=["disclosures"])
Decider = Annotated[Session, Depends(door.may(Action.DISCLOSURE_DECIDE))]


@router.get("/legal-bases")
async def legal_bases(_session: Decider) -> BasesOut:
    """The grounds on which something may be handed out, and what each asks."""
    found = bases.bases()
    return BasesOut(
        version=found.version,
        bases=[
            BasisOut(
                id=one.id,
                sv=one.sv,
                en=one.en,
                source=one.source,
                questions=[ChoiceOut(id=asked.id, sv=asked.sv, en=asked.en) for asked in one.question],
            )
            for one in found.basis
        ],
    )


@router.get("/calls/{call_id}/leaving")
async def leaving(here: OneSite, session: Decider, call_id: CallId, copy: UUID | None = None) -> Leaving:
    """Exactly which seconds and words would leave: of the whole call, or of a redacted copy."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="leaving")
    async with here.database.transaction() as conn:
        return await _leaving(conn, call_id, copy)


async def _leaving(conn: Connection, call_id: UUID, copy_id: UUID | None) -> Leaving:
    length_ms = (await calls.get(conn, call_id)).length_ms or 0
    silenced: list[Silenced] = []
    if copy_id is None:
        found = await done(conn, call_id)
        lines = [in_force(one) for one in await transcripts.utterances(conn, found.id)]
    else:
        copy = await layers.redaction(conn, call_id, copy_id)
        lines = [load(one) for one in copy.utterances]
        silenced = [
            Silenced(start_ms=one["start_ms"], end_ms=min(one["end_ms"], length_ms)) for one in copy.stretches
        ]
    silenced_ms = sum(one.end_ms - one.start_ms for one in silenced)
    return Leaving(
        copy_id=copy_id,
        heard_ms=max(0, length_ms - silenced_ms),
        silenced_ms=silenced_ms,
        silenced=silenced,
        words=sum(1 for line in lines for word in line.words if word.redacted is None),
        lines=[
            LeavingLine(start_ms=line.start_ms, end_ms=line.end_ms, leg=line.leg, text=shown(line))
            for line in lines
        ],
    )


@router.post("/calls/{call_id}/disclosures", status_code=201)
async def decide(here: OneSite, session: Decider, call_id: CallId, asked: Decision) -> DisclosureOut:
    """Hand out, or refuse to. Both are written down, and in the access log."""
    try:
        answers = bases.answered(asked.basis, asked.answers)
    except UsageError:
        raise Problem("basis_unanswered") from None
    at = here.clock.utc_now()
    async with here.database.transaction() as conn:
        what = "disclosure.grant" if asked.granted else "disclosure.refuse"
        detail: dict[str, str | int | bool | None] = {"granted": asked.granted, "basis": asked.basis}
        await leave(here, conn, session, call_id, Action.DISCLOSURE_DECIDE, what, detail)
        told = await _leaving(conn, call_id, asked.copy_id) if asked.granted else None
        made = record.Disclosure(
            id=new_id(),
            call_id=call_id,
            copy_id=asked.copy_id if asked.granted else None,
            basis=asked.basis,
            basis_version=bases.bases().version,
            answers=answers,
            recipient=" ".join(asked.recipient.split()),
            granted=asked.granted,
            motive=asked.motive.strip(),
            heard_ms=told.heard_ms if told else None,
            words=told.words if told else None,
            by_id=session.person.id,
            at=at,
        )
        await record.add(conn, made)
        return (await _shapes(conn, [made]))[0]


@router.get("/calls/{call_id}/disclosures")
async def listing(here: OneSite, session: Decider, call_id: CallId) -> DisclosureList:
    """What was decided about a call, oldest first."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="disclosures")
    async with here.database.transaction() as conn:
        return DisclosureList(disclosures=await _shapes(conn, await record.of_call(conn, call_id)))


async def _shapes(conn: Connection, found: list[record.Disclosure]) -> list[DisclosureOut]:
    who = {one.id: one for one in await people.listing(conn)} if found else {}
    return [
        DisclosureOut(
            id=one.id,
            at=one.at,
            person=Who(id=person.id, name=person.name, display_name=person.display_name)
            if (person := who.get(one.by_id))
            else None,
            basis=one.basis,
            basis_version=one.basis_version,
            answers=one.answers,
            recipient=one.recipient,
            granted=one.granted,
            motive=one.motive,
            copy_id=one.copy_id,
            heard_ms=one.heard_ms,
            words=one.words,
        )
        for one in found
    ]
