"""Beside a call: notes, ticks, consents, the writing-up. Operators write for calls of their own; others read with a reason."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from callsvc.access import people, trail
from callsvc.access.ownership import demand_call, owns
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import UsageError
from callsvc.shift import announced, guides, notes, wrap_up
from callsvc.store import Connection, calls
from callsvc.types import Profile
from callsvc.web import door
from callsvc.web.door import CallId, OneSite, SignedIn
from callsvc.web.problems import telling
from callsvc.web.shapes_notes import (
    AnnouncedOut,
    Beside,
    ChecklistOut,
    ChoiceOut,
    ConsentOut,
    ConsentToRecord,
    GuidesOut,
    ItemOut,
    NoteLine,
    NotesOut,
    NotesToSave,
    Saved,
    TickOut,
    TickToSet,
    WrapUpOut,
    WrapUpToSave,
)

router = APIRouter(prefix="/api", tags=["notes"])
Writer = Annotated[Session, Depends(door.may(Action.CALL_NOTE))]
Reader = Annotated[Session, Depends(door.may(Action.CALL_LIST))]
WRONG: Final = {
    notes.Changed: "notes_changed",
    notes.Closed: "notes_closed",
    wrap_up.NoCase: "no_case_here",
    UsageError: "invalid",
}
"""What can go wrong with a call's papers, as problems."""


@router.get("/guides")
async def all_guides(_session: Reader) -> GuidesOut:
    """Checklists, labels and what else is asked, as data."""
    found = guides.guides()

    def choices(of: tuple[guides.Choice, ...]) -> list[ChoiceOut]:
        return [ChoiceOut(id=one.id, sv=one.sv, en=one.en) for one in of]

    return GuidesOut(
        checklists=[
            ChecklistOut(
                id=one.id,
                sv=one.sv,
                en=one.en,
                version=one.version,
                profiles=list(one.profiles),
                items=[ItemOut(id=i.id, sv=i.sv, en=i.en, source=i.source) for i in one.item],
            )
            for one in found.checklist
        ],
        labels=choices(found.label),
        told=choices(found.told),
        consents=choices(found.consent),
    )


@router.get("/calls/{call_id}/notes")
async def beside(here: OneSite, session: SignedIn, call_id: CallId) -> Beside:
    """What was written beside a call: one's own at any time, others' with the right and a reason."""
    door.ready(here, session)
    async with here.database.transaction() as conn:
        mine = session.person.may(Action.CALL_NOTE) and await owns(conn, session.person.id, call_id)
    if not mine:
        await here.readings.ask(session, call_id, Action.NOTES_READ, kind="notes", name="notes")
    async with here.database.transaction() as conn:
        return await _beside(conn, call_id, session.person.id)


async def _beside(conn: Connection, call_id: UUID, asker: UUID) -> Beside:
    call = await calls.get(conn, call_id)
    written = await notes.of_call(conn, call_id)
    authors = {one.author: (await people.get(conn, one.author)).display_name for one in written}
    filed = await wrap_up.get(conn, call_id)
    operator = await announced.operator(conn, call_id)
    return Beside(
        call_id=call_id,
        profile=Profile(call.profile),
        notes=[
            NotesOut(
                author=authors[one.author],
                mine=one.author == asker,
                lines=[NoteLine(at_ms=line.at_ms, text=line.text) for line in one.lines],
                revision=one.revision,
                updated_at=one.updated_at,
            )
            for one in written
        ],
        ticks=[
            TickOut(
                checklist=one.checklist, version=one.version, item=one.item, ticked=one.ticked,
                at_ms=one.at_ms, at=one.at,
            )
            for one in await notes.ticks(conn, call_id)
        ],
        consents=[_consent(one) for one in await wrap_up.consents(conn, call_id)],
        announced=[
            AnnouncedOut(
                announcement=one.announcement, version=one.version, language=one.language, at_ms=one.at_ms,
                source=one.by, by=operator if one.by == "operator" else None, cut_off=one.cut_off,
            )
            for one in await announced.of_call(conn, call_id)
        ],
        wrap_up=None
        if filed is None
        else WrapUpOut(
            case_number=filed.case_number, labels=filed.labels, told=filed.told, hand_over=filed.hand_over,
            state=filed.state,
        ),
    )  # fmt: skip


def _consent(one: wrap_up.Consent) -> ConsentOut:
    return ConsentOut(
        id=one.id,
        who=one.who,
        what=one.what,
        given=one.given,
        at_ms=one.at_ms,
        recorded_at=one.recorded_at,
        withdrawn_at=one.withdrawn_at,
    )


@router.put("/calls/{call_id}/notes")
async def save(here: OneSite, session: Writer, call_id: CallId, asked: NotesToSave) -> Saved:
    """Keep one's notes. The first save is written in the access log."""
    at = here.clock.utc_now()
    lines = [notes.Line(line.at_ms, line.text) for line in asked.lines]
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        with telling(WRONG):
            revision = await notes.save(
                conn, call_id, session.person.id, lines, revision=asked.revision, at=at
            )
        if revision == 1:
            await door.noted(conn, here, session, call_id, "notes.begin")
    return Saved(revision=revision)


@router.put("/calls/{call_id}/ticks", status_code=204)
async def tick(here: OneSite, session: Writer, call_id: CallId, asked: TickToSet) -> None:
    """Tick an item of a checklist, or take the tick back."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        with telling(WRONG):
            await notes.tick(
                conn, call_id, session.person.id,
                checklist=asked.checklist, item=asked.item, ticked=asked.ticked, at_ms=asked.at_ms,
                at=here.clock.utc_now(),
            )  # fmt: skip


@router.put("/calls/{call_id}/wrap-up", status_code=204)
async def write_up(here: OneSite, session: Writer, call_id: CallId, asked: WrapUpToSave) -> None:
    """Keep what was filled in after a call; when it is done, its notes are closed, too."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        before = await wrap_up.get(conn, call_id)
        with telling(WRONG):
            await wrap_up.save(
                conn, call_id, session.person.id,
                case=asked.case_number, labels=asked.labels, told=asked.told, hand_over=asked.hand_over,
                state=asked.state, at=here.clock.utc_now(),
            )  # fmt: skip
        await _note_joining(conn, here, session, before, await wrap_up.get(conn, call_id))
        if asked.state == "done":
            await door.noted(conn, here, session, call_id, "call.write_up")
    here.changes.poke()


@router.post("/calls/{call_id}/consents", status_code=201)
async def consent(here: OneSite, session: Writer, call_id: CallId, asked: ConsentToRecord) -> ConsentOut:
    """Write down that somebody consents, or refuses."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        with telling(WRONG):
            made = await wrap_up.consent(
                conn, call_id, session.person.id,
                who=asked.who, what=asked.what, given=asked.given, at_ms=asked.at_ms, at=here.clock.utc_now(),
            )  # fmt: skip
        await door.noted(conn, here, session, call_id, "consent.record")
    return _consent(made)


@router.post("/calls/{call_id}/consents/{consent_id}/withdrawal", status_code=204)
async def withdraw(
    here: OneSite, session: Writer, call_id: CallId, consent_id: Annotated[UUID, Path()]
) -> None:
    """A consent is withdrawn; that it was given stays."""
    async with here.database.transaction() as conn:
        await demand_call(conn, session.person, Action.CALL_NOTE, call_id)
        await wrap_up.withdraw(conn, call_id, consent_id, session.person.id, at=here.clock.utc_now())
        await door.noted(conn, here, session, call_id, "consent.withdraw")


async def _note_joining(
    conn: Connection,
    here: OneSite,
    session: Session,
    before: wrap_up.WrapUp | None,
    after: wrap_up.WrapUp | None,
) -> None:
    """That calls are put together is written down like a look at one, and so is that one is taken out again."""
    was, now = (one.case_number if one else None for one in (before, after))
    told = (("case.leave", was), ("case.join", now)) if was != now else ()
    for action, number in told:
        if number is not None and after is not None:
            await trail.record(
                conn,
                user_id=session.person.id,
                action=action,
                object_kind="case",
                object_id=number,
                call_id=after.call_id,
                at=here.clock.utc_now(),
            )
