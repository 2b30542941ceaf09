"""The signed copy of a disclosure that was granted: made by the worker, fetched by whoever may decide about handing out."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response, StreamingResponse

from callsvc import jobs
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.disclosures import bundles, record
from callsvc.errors import NotFound
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.keys import WrappedKey
from callsvc.recordings.objects import objects
from callsvc.recordings.sealed_file import sealed_size, unseal
from callsvc.store import Connection
from callsvc.web import door
from callsvc.web.door import CallId, OneSite
from callsvc.web.shapes_disclosures import BundleOut
from callsvc.web.spoken_words import leave

router = APIRouter(prefix="/api/calls", tags=["disclosures"])
Decider = Annotated[Session, Depends(door.may(Action.DISCLOSURE_DECIDE))]
DisclosureId = Annotated[UUID, Depends(door.disclosure_id)]
_ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}


@router.post("/{call_id}/disclosures/{disclosure_id}/bundle", status_code=202)
async def ask(here: OneSite, session: Decider, call_id: CallId, disclosure_id: DisclosureId) -> BundleOut:
    """Have the signed copy made of what was granted; asked again it changes nothing, unless it had failed."""
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.DISCLOSURE_DECIDE, f"bundle {disclosure_id}")
        await _granted(conn, call_id, disclosure_id)
        if await bundles.ask(conn, disclosure_id, at=here.clock.utc_now()):
            await jobs.defer(conn, bundles.JOB, once=f"bundle-{disclosure_id}", disclosure=str(disclosure_id))
        return _shape(await bundles.get(conn, disclosure_id))


@router.get("/{call_id}/disclosures/{disclosure_id}/bundle")
async def state(here: OneSite, session: Decider, call_id: CallId, disclosure_id: DisclosureId) -> BundleOut:
    """How far it is."""
    await here.readings.ask(session, call_id, Action.TRANSCRIPT_READ, kind="transcript", name="disclosures")
    async with here.database.transaction() as conn:
        await _granted(conn, call_id, disclosure_id)
        return _shape(await bundles.get(conn, disclosure_id))


@router.get(
    "/{call_id}/disclosures/{disclosure_id}/bundle.zip",
    response_class=Response,
    responses=_ZIP,
)
async def fetch(here: OneSite, session: Decider, call_id: CallId, disclosure_id: DisclosureId) -> Response:
    """The signed copy itself; that it was fetched stands in the access log."""
    async with here.database.transaction() as conn:
        await leave(here, conn, session, call_id, Action.DISCLOSURE_DECIDE, f"bundle.zip {disclosure_id}")
        await _granted(conn, call_id, disclosure_id)
        made = await bundles.get(conn, disclosure_id)
    if made is None or made.size is None or made.wrapped is None or made.wrapped_by is None:
        raise NotFound
    keys, store, place = key_ring(here.settings), objects(here.settings), bundles.place(disclosure_id)
    key = await run_in_threadpool(keys.unwrap, WrappedKey(made.wrapped_by, bytes(made.wrapped)))
    whole, size = sealed_size(made.size), made.size

    def read(offset: int, length: int) -> bytes:
        return store.read(place, offset, length, whole)

    return StreamingResponse(
        iterate_in_threadpool(unseal(read, size, key)),
        media_type="application/zip",
        headers={
            "Content-Length": str(size),
            "Content-Disposition": f'attachment; filename="samtal-{call_id}.zip"',
        },
    )


async def _granted(conn: Connection, call_id: UUID, disclosure_id: UUID) -> None:
    """Raises `NotFound` for one of another call, and for one that was refused: nothing of it leaves."""
    found = await record.get(conn, disclosure_id)
    if found.call_id != call_id or not found.granted:
        raise NotFound


def _shape(found: bundles.Bundle | None) -> BundleOut:
    if found is None:
        return BundleOut(state="none", progress=0.0, error=None, size=None)
    return BundleOut.model_validate(
        {"state": found.state, "progress": found.progress, "error": found.error, "size": found.size}
    )
