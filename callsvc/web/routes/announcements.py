"""What can be said to callers in their own language: the texts, also of those that nobody has spoken yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool

from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import ConfigurationError
from callsvc.telephony import announcements
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.shapes_shift import CallerText, CallerTexts

router = APIRouter(prefix="/api", tags=["shift"])
Taker = Annotated[Session, Depends(door.may(Action.CALL_TAKE))]


@router.get("/announcements")
async def texts(here: OneSite, _session: Taker) -> CallerTexts:
    """What each announcement says, by language. What can be played is told by the node that has the call."""
    directory = here.settings.media.announcements or announcements.PACKAGED
    try:
        found = await run_in_threadpool(announcements.texts, directory)
    except ConfigurationError:  # the node says so, too, and offers nothing
        found = []
    return CallerTexts(
        announcements=[
            CallerText(id=one.id, version=one.version, words=dict(one.words), unchecked=sorted(one.unchecked))
            for one in found
        ]
    )
