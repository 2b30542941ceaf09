"""What the routes of transcripts share: the transcript that is done, and leave to do something with it."""

from __future__ import annotations

from uuid import UUID

from callsvc.access import reasons
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.store import Connection, transcripts
from callsvc.types import TranscriptState
from callsvc.web.problems import Problem
from callsvc.web.site import Site


async def done(conn: Connection, call_id: UUID) -> transcripts.Transcript:
    """The call's transcript. Raises `Problem` while there is none."""
    found = await transcripts.of_call(conn, call_id)
    if found is None or found.state != TranscriptState.DONE:
        raise Problem("no_transcript")
    return found


async def leave(
    here: Site,
    conn: Connection,
    session: Session,
    call_id: UUID,
    action: Action,
    what: str,
    detail: dict[str, str | int | bool | None] | None = None,
) -> None:
    """Right, reason and a line in the log, in the transaction of what is done."""
    await reasons.read(
        conn,
        session,
        call_id,
        action,
        object_kind="transcript",
        object_id=what,
        at=here.clock.utc_now(),
        detail=detail,
    )
