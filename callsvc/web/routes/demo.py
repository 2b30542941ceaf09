"""The demonstration call: place one, and see how far it has come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from callsvc import jobs
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.ids import new_id
from callsvc.locale.said import Said
from callsvc.store import demonstrations
from callsvc.web import door
from callsvc.web.door import DemoId, Language, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes import Demonstration, LatestDemonstration

router = APIRouter(prefix="/api/demo-calls", tags=["demonstration"])
Placer = Annotated[Session, Depends(door.may(Action.DEMO_PLACE))]
JOB = "demonstration_call"


def shape(found: demonstrations.Demonstration, lang: str) -> Demonstration:
    return Demonstration(
        id=found.id,
        call_id=found.call_id,
        state=found.state,
        progress=found.progress,
        step=found.step,
        error=Said.load(found.error).sentence(lang) if found.error else None,
        created_at=found.created_at,
    )


@router.post("", status_code=202)
async def place(here: OneSite, session: Placer, lang: Language) -> Demonstration:
    """Place a demonstration call; one at a time."""
    demo_id = new_id()
    async with here.database.transaction() as conn:
        latest = await demonstrations.latest(conn)
        if latest is not None and latest.state in ("queued", "running"):
            raise Problem("demo_running")
        await demonstrations.create(conn, demo_id, created_by=session.person.id, at=here.clock.utc_now())
        if await jobs.defer(conn, JOB, once=JOB, demonstration_id=str(demo_id)) is None:
            raise Problem("demo_running")
        placed = await demonstrations.get(conn, demo_id)
    here.changes.poke()
    return shape(placed, lang)


@router.get("")
async def latest(here: OneSite, _session: Placer, lang: Language) -> LatestDemonstration:
    """The demonstration call that was placed last, if there is one."""
    async with here.database.transaction() as conn:
        found = await demonstrations.latest(conn)
    return LatestDemonstration(latest=shape(found, lang) if found else None)


@router.get("/{demo_id}")
async def one(here: OneSite, _session: Placer, demo_id: DemoId, lang: Language) -> Demonstration:
    """How far a demonstration call has come."""
    async with here.database.transaction() as conn:
        return shape(await demonstrations.get(conn, demo_id), lang)
