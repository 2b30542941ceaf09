"""What changes, as it changes: server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from callsvc.access.rights import Action, Scope, allowed, scope
from callsvc.access.sessions import Session
from callsvc.types import Role
from callsvc.web import door
from callsvc.web.door import OneSite, SignedIn
from callsvc.web.site import Site

router = APIRouter(prefix="/api/events", tags=["live"])
QUIET_S: Final = 15.0
_PAGES: Final = {
    "calls": Action.CALL_LIST,
    "shift": Action.CALL_LIST,
    "hand-overs": Action.HANDOVER_TAKE,
    "demo": Action.DEMO_PLACE,
    "log": Action.TRAIL_READ,
    "health": Action.HEALTH_READ,
}


@router.get("", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, here: OneSite, session: SignedIn) -> Response:
    """A stream of topics that changed: `calls`, `call:<id>`, `text:<id>`, `hand-overs`, `shift`, `demo`, `log`, `health`. It ends with the session."""
    door.ready(here, session)
    token = request.cookies[door.cookie_name(here)]
    here.changes.admit()
    return StreamingResponse(
        _stream(here, token, session),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _meant_for(topics: set[str], roles: Iterable[Role]) -> set[str]:
    """The topics that somebody of these roles has a page for. Of which calls there are, who may know of a few alone is
    told only that some call changed; of when somebody looked at something, only who reads the log."""
    all_calls = scope(roles, Action.CALL_LIST) is Scope.ALL
    told = {topic: allowed(roles, action) for topic, action in _PAGES.items()}
    return {topic for topic in topics if (all_calls if ":" in topic else told[topic])}


async def _stream(here: Site, token: str, session: Session) -> AsyncIterator[str]:
    # A place is taken only once the stream has begun, so that one who left before leaves nothing behind.
    with here.changes.watch() as watcher:
        yield "retry: 2000\nevent: hello\ndata: {}\n\n"
        # How often to look is a matter of waiting, so it goes by the loop's time; when a session ends, by the clock's.
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while not here.changes.closing.is_set():
            topics = await watcher.next(QUIET_S)
            if loop.time() - checked >= QUIET_S:
                checked = loop.time()
                now = await door.still_there(here, token, session)
                if now is None:
                    return
                session = now
            if here.changes.closing.is_set():
                return
            if topics := _meant_for(topics, session.person.roles):
                yield f"event: changed\ndata: {json.dumps({'topics': sorted(topics)})}\n\n"
            else:
                # An event and not a comment: the screen must see that the stream lives.
                yield "event: still\ndata: {}\n\n"
