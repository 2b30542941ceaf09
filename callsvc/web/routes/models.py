"""Models of speech to text and of quiet: what lies here, what is used for what, looking one through, choosing another.

None is fetched from here: that speaks with the world outside, and is done by command, by somebody who means to.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path

from callsvc.access import trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.locale import LANGUAGES
from callsvc.store import worked
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose
from callsvc.web import door, shelf
from callsvc.web.door import Language, OneSite
from callsvc.web.problems import Problem
from callsvc.web.shapes_models import ModelChoice, ModelsOut, ModelState, Worked

router = APIRouter(prefix="/api/models", tags=["models"])
Reader = Annotated[Session, Depends(door.may(Action.HEALTH_READ))]
Chooser = Annotated[Session, Depends(door.may(Action.MODELS_CHOOSE))]
Name = Annotated[str, Path(min_length=1, max_length=100)]
OF_LATE: Final = timedelta(days=30)


@router.get("")
async def listing(here: OneSite, _session: Reader, lang: Language) -> ModelsOut:
    """Every model that is known or lies here, and what is in use."""
    since = here.clock.utc_now() - OF_LATE
    uses, found, suppressor = await asyncio.to_thread(
        lambda: (
            shelf.uses(here.settings, lang),
            shelf.listing(here.settings),
            shelf.suppressor(here.settings, lang),
        )
    )
    async with here.database.transaction() as conn:
        told = {"text": await worked.text(conn, since), "quiet": await worked.quiet(conn, since)}
    return ModelsOut(
        uses=uses,
        models=found,
        suppressor=suppressor,
        worked=[
            Worked.model_validate({"what": what, "model": model, "calls": calls, "last_at": at})
            for what, rows in told.items()
            for model, calls, at in rows
        ],
        days=OF_LATE.days,
    )


@router.post("/{name}/check")
async def check(here: OneSite, _session: Reader, name: Name, lang: Language) -> ModelState:
    """Look through every file of a model that lies here; a large one takes a while."""
    return await asyncio.to_thread(shelf.look, here.settings, name, lang)


@router.put("/uses/{purpose}", status_code=204)
async def use(here: OneSite, session: Chooser, purpose: Purpose, asked: ModelChoice) -> None:
    """Use another model that lies here, from the next transcript or call on. One that is not whole is refused."""
    found = await asyncio.to_thread(shelf.look, here.settings, asked.name, LANGUAGES[0])
    if found.state != "whole":
        raise Problem("model_language" if found.state == "language" else "model_damaged")
    before = models.chosen(here.settings).get(purpose)
    async with here.database.transaction() as conn:
        await trail.record(
            conn,
            user_id=session.person.id,
            action="model.use",
            object_kind="model",
            object_id=asked.name,
            detail={"purpose": str(purpose), "before": before or "", "sha256": found.sha256 or ""},
            at=here.clock.utc_now(),
        )
        # Within the transaction: what cannot be written down is not done, and what is not done is not written down.
        await asyncio.to_thread(models.choose, here.settings, purpose, asked.name)
