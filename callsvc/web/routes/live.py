"""What changes, as it changes: server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from callsvc.access.rights import Action, Scope, scope
from callsvc.web import door
from callsvc.web.door import OneSite, SignedIn
from callsvc.web.site import Site

router = APIRouter(prefix="/api/events", tags=["live"])
QUIET_S: Final = 15.0


@router.get("", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, here: OneSite, session: SignedIn) -> Response:
    """A stream of topics that changed: `calls`, `call:<id>`, `text:<id>`, `hand-overs`, `shift`, `demo`, `log`, `health`. It ends with the session."""
    door.ready(here, session)
    token = request.cookies[door.cookie_name(here)]
    here.changes.admit()
    return StreamingResponse(
        _stream(here, token, own=scope(session.person.roles, Action.CALL_LIST) is not Scope.ALL),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(here: Site, token: str, *, own: bool) -> AsyncIterator[str]:
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
                if not await door.still_there(here, token):
                    return
            if here.changes.closing.is_set():
                return
            if own:
                # Which calls there are is not told to who may know of a few alone; that some call changed is.
                topics = {topic for topic in topics if not topic.startswith(("call:", "text:"))}
            if topics:
                yield f"event: changed\ndata: {json.dumps({'topics': sorted(topics)})}\n\n"
            else:
                # An event and not a comment: the screen must see that the stream lives.
                yield "event: still\ndata: {}\n\n"
