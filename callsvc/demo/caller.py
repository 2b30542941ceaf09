"""A demonstration caller inside a service that is up: rings, and speaks with a recorded voice once somebody answers."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np

from callsvc import store
from callsvc.clock import SystemClock
from callsvc.config import Settings
from callsvc.demo import attached, composition, placing
from callsvc.demo import run as demonstration
from callsvc.demo.peer import Task
from callsvc.demo.sound import write
from callsvc.store import Database
from callsvc.types import Leg

RINGS_S: Final = 110.0
"""A little less than the media node waits for the second leg."""
TIMES: Final = 3
"""How often the caller says the same, until an operator hangs up or it has been said."""
PAUSE_S: Final = 4.0


async def run(settings: Settings, by: str) -> None:
    """Ring, speak when answered, and stay until hung up or until all is said. Raises `PartyFailed`, `Unavailable`."""
    clock = SystemClock()
    async with Database(store.address(settings), pool_max=2) as database:
        invitation = await demonstration.invite_from_within(
            settings, database, clock, attached.media_url(settings), UUID(by)
        )
    scene = await asyncio.to_thread(composition.compose)
    pause = np.zeros(round(PAUSE_S * composition.RATE), scene.caller.dtype)
    with tempfile.TemporaryDirectory(dir=settings.data_dir / "run") as folder:
        work = Path(folder)
        said = np.concatenate([scene.caller, pause] * TIMES)
        write(work / "says.wav", said, composition.RATE)
        line = demonstration.LINES[Leg.CALLER]
        task = Task(
            invitation.url(Leg.CALLER), invitation.tokens[Leg.CALLER], line.transport, line.codec,
            str(work / "says.wav"), str(work / "heard.wav"), str(work / "notes.json"),
        )  # fmt: skip
        async with placing.party(Leg.CALLER, task, work / "caller.log") as caller:
            await caller.until("ready", placing.JOIN_S)
            await caller.until_live(RINGS_S)
            caller.order("go")
            # Whoever hangs up first ends it: the operator, or the caller who has said all.
            with contextlib.suppress(placing.PartyFailed):
                await caller.until("played", len(said) / composition.RATE + placing.SPARE_S)
