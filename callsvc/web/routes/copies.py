"""Redacted copies of a call, and its transcript as a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import UsageError
from callsvc.ids import new_id
from callsvc.store import layers, transcripts
from callsvc.transcripts.layers import Choice, Layer, Silenced, Stretch, in_force, redact
from callsvc.transcripts.layers.redacting import dump
from callsvc.transcripts.out import Form, gather, render
from callsvc.transcripts.out.render import TYPES
from callsvc.types import Track
from callsvc.web import door, ranges
from callsvc.web.door import CallId, OneSite
from callsvc.web.playback import Playback
from callsvc.web.problems import Problem
from callsvc.web.routes.sound import Range
from callsvc.web.shapes_transcripts import NewRedaction, RedactionList, RedactionOut, StretchOut
from callsvc.web.spoken_words import done, leave

router = APIRouter(prefix="/api", tags=["transcripts"])
Reader = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_READ))]
Redactor = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_REDACT))]
Exporter = Annotated[Session, Depends(door.may(Action.TRANSCRIPT_EXPORT))]
# The raw microphone is for quality review alone and is in no copy.
COPIED = (Track.CALLER_RX, Track.OPERATOR_TX)


@router.post("/calls/{call_id}/redactions", status_code=201)
async def make_copy(here: OneSite, session: Redactor, call_id: CallId, asked: NewRedaction) -> RedactionOut:
    """A copy without the chosen words, in text and sound; it stays as it is made."""
    now = here.clock.utc_now()
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_REDACT, "redaction")
        found = await done(conn, call_id)
        said = await transcripts.utterances(conn, found.id)
        # Places of words mean nothing in another text: what was to go might stay.
        versions = {one.n: one.version for one in said}
        if any(versions.get(one.n, one.version) != one.version for one in asked.chosen):
            raise Problem("edited_meanwhile")
        lines = [in_force(one) for one in said]
        chosen = [Choice(one.n, one.first, one.last, one.reason) for one in asked.chosen]
        try:
            made = redact(lines, chosen)
        except UsageError:
            raise Problem("bad_choice") from None
        kept = layers.Redaction(
            id=new_id(),
            transcript_id=found.id,
            call_id=call_id,
            title=" ".join(asked.title.split()),
            stretches=[asdict(one) for one in made.stretches],
            utterances=[dump(one) for one in made.lines],
            sha256=made.sha256,
            user_id=session.person.id,
            at=now,
        )
        await layers.keep_redaction(conn, kept)
    return _copy(kept)


@router.get("/calls/{call_id}/redactions")
async def copies(here: OneSite, session: Reader, call_id: CallId) -> RedactionList:
    """A call's redacted copies, oldest first."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="redactions")
    async with here.database.transaction() as conn:
        return RedactionList(copies=[_copy(one) for one in await layers.redactions(conn, call_id)])


@router.get(
    "/calls/{call_id}/redactions/{copy_id}/playback.wav",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, 206: {"content": {"audio/wav": {}}}},
)
async def copy_sound(
    here: OneSite, session: Reader, call_id: CallId, copy_id: UUID, asked: Range = None
) -> Response:
    """The sound of a redacted copy, a channel a leg: silent on both where something was taken out."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="redaction", name=str(copy_id))
    async with here.database.transaction() as conn:
        made = await layers.redaction(conn, call_id, copy_id)
    recording = await here.library.open(call_id)
    names = [name for name in COPIED if name in recording.tracks]
    if not names:
        raise Problem("no_sound")
    quiet = Silenced(recording, [Stretch(**one) for one in made.stretches], names)
    return ranges.wav(Playback(quiet, names), asked)


@router.get("/calls/{call_id}/transcript/export", response_class=Response)
async def export(
    here: OneSite,
    session: Exporter,
    call_id: CallId,
    form: Form,
    layer: Layer = Layer.CORRECTED,
    copy_id: Annotated[UUID | None, Query(alias="copy")] = None,
    lang: Literal["sv", "en"] = "sv",
) -> Response:
    """The transcript as a file: in the text in force, the machine's, or a redacted copy."""
    now = here.clock.utc_now()
    if copy_id is not None:
        # Who asks for a copy is given nothing of what was taken out of it, whatever else was asked.
        layer = Layer.REDACTED
    async with here.database.transaction() as conn:
        what = str(copy_id or layer)
        await leave(here, conn, session, call_id, Action.TRANSCRIPT_EXPORT, what, {"form": str(form)})
        document = await gather(conn, call_id, layer, made_at=now, copy=copy_id)
    made = await run_in_threadpool(render, document, form, lang)
    name = f"{call_id}-{layer}.{form}"
    return Response(
        made, media_type=TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _copy(one: layers.Redaction) -> RedactionOut:
    return RedactionOut(
        id=one.id,
        title=one.title,
        at=one.at,
        sha256=one.sha256,
        stretches=[StretchOut(**stretch) for stretch in one.stretches],
    )
