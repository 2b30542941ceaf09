"""What was said in a call: its text in layers, corrections, and a summary beside it.

Each look is under the reason that the session has opened the call with, and leaves a line in the access log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from callsvc import transcripts as feature
from callsvc.access import people
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import Conflict
from callsvc.locale.said import Said
from callsvc.store import Connection, calls, layers, transcripts
from callsvc.store.layers import EditedMeanwhile
from callsvc.transcripts.layers import in_force
from callsvc.transcripts.personal import marks
from callsvc.transcripts.values.value import values
from callsvc.types import Leg, TranscriptState
from callsvc.web import door
from callsvc.web.door import CallId, Language, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes import Who
from callsvc.web.shapes_transcripts import (
    Correction,
    EditList,
    EditOut,
    MarkOut,
    NewSummary,
    SummaryOut,
    TranscriptOut,
    TranscriptStateOut,
    Undo,
    UtteranceOut,
    ValueOut,
    WordOut,
)
from callsvc.web.spoken_words import done, leave

router = APIRouter(prefix="/api", tags=["transcripts"])
Lister = Annotated[Session, Depends(door.may(Action.CALL_LIST))]
Reader = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_READ))]
Editor = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_EDIT))]
Asker = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_ASK))]


@router.get("/calls/{call_id}/transcript", response_model=TranscriptOut)
async def transcript(
    here: OneSite,
    session: Reader,
    call_id: CallId,
    first: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
    count: Annotated[int | None, Query(ge=1, lt=1 << 31)] = None,
) -> Response:
    """What was said: the text in force, and what the machine heard where that is another.

    A long call can be asked for piece by piece: `count` utterances from the place `first` on.
    """
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="transcript")
    async with here.database.transaction() as conn:
        found = await done(conn, call_id)
        one_more = None if count is None else count + 1
        said = await transcripts.utterances(conn, found.id, first=first, count=one_more)
        verified = await transcripts.verified(conn, found.id)
    more = count is not None and len(said) > count
    told = TranscriptOut(
        model=found.model,
        model_sha256=found.model_sha256,
        language=found.language,
        verified=verified,
        utterances=[_utterance(one) for one in said[:count]],
        next=first + count if more and count is not None else None,
    )
    # Written once: an hour has ten thousand words, which the framework would check and turn over twice more.
    return Response(told.model_dump_json(), media_type="application/json")


@router.get("/calls/{call_id}/transcript/state")
async def state(here: OneSite, session: Lister, call_id: CallId, lang: Language) -> TranscriptStateOut:
    """How far the transcript is, without a word of it."""
    async with here.database.transaction() as conn:
        await calls.get(conn, call_id)
        await demand_call(conn, session.person, Action.CALL_LIST, call_id)
        found = await transcripts.of_call(conn, call_id)
    if found is None:
        return TranscriptStateOut(state=None, progress=0.0, expected_at=None, error=None)
    return TranscriptStateOut(
        state=TranscriptState(found.state),
        progress=found.progress,
        expected_at=found.expected_at,
        error=Said.load(found.error).sentence(lang) if found.error else None,
    )


@router.post("/calls/{call_id}/transcript/request", status_code=204)
async def request(here: OneSite, session: Asker, call_id: CallId) -> None:
    """Have it transcribed now, ahead of what merely waits its turn; also one that failed."""
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_ASK, "transcript")
        await feature.ask(conn, call_id, priority=feature.ASKED_FOR)


# Corrections


@router.put("/calls/{call_id}/transcript/utterances/{n}")
async def correct(here: OneSite, session: Editor, call_id: CallId, n: int, asked: Correction) -> EditOut:
    """Lay a text above what the machine heard. Who read another version is refused, and loses nothing."""
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_EDIT, f"utterance {n}")
        found = await done(conn, call_id)
        words = " ".join(asked.text.split())
        try:
            await layers.correct(
                conn,
                found.id,
                n,
                words,
                version=asked.version,
                why=asked.why.strip(),
                user_id=session.person.id,
                at=here.clock.utc_now(),
            )
        except EditedMeanwhile:
            raise Problem("edited_meanwhile") from None
        made = await _last_edit(conn, found.id, n)
    here.changes.poke()
    return made


@router.post("/calls/{call_id}/transcript/utterances/{n}/undo")
async def undo(here: OneSite, session: Editor, call_id: CallId, n: int, asked: Undo) -> EditOut:
    """Take back the last correction; that is noted like a correction."""
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_EDIT, f"utterance {n}")
        found = await done(conn, call_id)
        try:
            await layers.undo(
                conn,
                found.id,
                n,
                version=asked.version,
                why=asked.why.strip(),
                user_id=session.person.id,
                at=here.clock.utc_now(),
            )
        except EditedMeanwhile:
            raise Problem("edited_meanwhile") from None
        except Conflict:
            raise Problem("nothing_to_undo") from None
        made = await _last_edit(conn, found.id, n)
    here.changes.poke()
    return made


@router.get("/calls/{call_id}/transcript/edits")
async def history(
    here: OneSite, session: Reader, call_id: CallId, n: Annotated[int | None, Query(ge=0)] = None
) -> EditList:
    """Who corrected what, when and why; of one utterance or of all."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="edits")
    async with here.database.transaction() as conn:
        found = await done(conn, call_id)
        return EditList(edits=await _edits(conn, await layers.edits(conn, found.id, n)))


# Summaries


@router.get("/calls/{call_id}/summary")
async def summary(here: OneSite, session: Reader, call_id: CallId) -> SummaryOut:
    """What somebody wrote about the call in their own words."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="summary", name="summary")
    async with here.database.transaction() as conn:
        found = await layers.summary(conn, call_id)
        if found is None:
            return SummaryOut(version=0, body="", person=None, at=None)
        who = await _people(conn)
    return SummaryOut(version=found.version, body=found.body, person=who.get(found.user_id), at=found.at)


@router.put("/calls/{call_id}/summary")
async def summarise(here: OneSite, session: Editor, call_id: CallId, asked: NewSummary) -> SummaryOut:
    """A new version of the summary; the earlier ones are kept."""
    now = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_EDIT, "summary")
        try:
            version = await layers.summarise(
                conn, call_id, asked.body, version=asked.version, user_id=session.person.id, at=now
            )
        except EditedMeanwhile:
            raise Problem("edited_meanwhile") from None
        who = await _people(conn)
    return SummaryOut(version=version, body=asked.body, person=who.get(session.person.id), at=now)


def _utterance(one: transcripts.Utterance) -> UtteranceOut:
    line = in_force(one)
    words = [word.text for word in line.words]
    marked = marks(words, one.language)
    return UtteranceOut(
        n=one.n,
        leg=Leg(one.leg),
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        text=one.text if one.corrected is None else one.corrected,
        words=[WordOut.model_validate(word, from_attributes=True) for word in line.words],
        kind=cast(Any, one.kind),
        language=one.language,
        version=one.version,
        machine=None if one.corrected is None else one.text,
        marks=[MarkOut.model_validate(mark, from_attributes=True) for mark in marked],
        values=[
            ValueOut.model_validate(value, from_attributes=True)
            for value in values(words, marked, one.language)
        ],
    )


async def _last_edit(conn: Connection, transcript_id: UUID, n: int) -> EditOut:
    return (await _edits(conn, (await layers.edits(conn, transcript_id, n))[-1:]))[0]


async def _edits(conn: Connection, edits: list[layers.Edit]) -> list[EditOut]:
    who = await _people(conn) if edits else {}
    return [
        EditOut(
            n=one.n,
            version=one.version,
            text=one.corrected,
            undoes=one.undoes,
            why=one.why,
            person=who.get(one.user_id),
            at=one.at,
        )
        for one in edits
    ]


async def _people(conn: Connection) -> Mapping[UUID, Who]:
    return {
        one.id: Who(id=one.id, name=one.name, display_name=one.display_name)
        for one in await people.listing(conn)
    }
