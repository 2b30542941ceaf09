"""The demonstration inside a service that is up: what the button on the first page sets off.

The worker starts this as a process of its own; it keeps the demonstration's row up to date.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from callsvc import data_dir, logs, store
from callsvc.clock import Clock, SystemClock
from callsvc.config import Settings
from callsvc.demo import run as demonstration
from callsvc.demo.placing import Invitation
from callsvc.demo.progress import STEPS
from callsvc.errors import CallsvcError, Unavailable
from callsvc.ids import parse_id
from callsvc.store import Database, demonstrations

WRITE_S = 0.5


class InRow:
    """Puts the progress into the demonstration's row, about twice a second."""

    def __init__(self, database: Database, clock: Clock, demonstration_id: UUID) -> None:
        self._database, self._clock, self._id = database, clock, demonstration_id
        self._progress, self._step = 0.0, "compose"
        self.call_id: UUID | None = None

    def step(self, name: str) -> None:
        self._step, self._progress = name, STEPS[name]

    def call(self, share: float, state: dict[str, Any]) -> None:
        self._progress = STEPS["calling"] + (STEPS["sealing"] - STEPS["calling"]) * share

    async def write(self) -> None:
        """Until cancelled."""
        while True:
            async with self._database.transaction() as conn:
                await demonstrations.update(
                    conn,
                    self._id,
                    "running",
                    at=self._clock.utc_now(),
                    progress=self._progress,
                    step=f"demo.step.{self._step}",
                    call_id=self.call_id,
                )
            await asyncio.sleep(WRITE_S)


async def run(settings: Settings, demonstration_id: str) -> None:
    """Place the call in the running service; the row says how it went. Raises what went wrong."""
    which, clock = parse_id(demonstration_id), SystemClock()
    logs.configure("demo", level=settings.log.level, file=settings.data_dir / "logs" / "demo.jsonl")
    async with Database(store.address(settings), pool_max=3) as database:
        async with database.transaction() as conn:
            row = await demonstrations.get(conn, which)
        if row.state in ("done", "failed"):
            return
        teller = InRow(database, clock, which)

        async def invite() -> Invitation:
            made = await demonstration.invite_from_within(
                settings, database, clock, media_url(settings), row.created_by
            )
            teller.call_id = parse_id(made.call_id)
            return made

        writing = asyncio.create_task(teller.write(), name="progress")
        try:
            with tempfile.TemporaryDirectory(dir=settings.data_dir / "run") as work:
                report = await demonstration.demonstrate(
                    settings, database, clock, invite, Path(work), teller, settings.language
                )
        except CallsvcError as error:
            await _stop(writing)
            async with database.transaction() as conn:
                await demonstrations.update(
                    conn, which, "failed", at=clock.utc_now(), error=error.said.dump()
                )
            raise
        await _stop(writing)
        async with database.transaction() as conn:
            await demonstrations.update(
                conn, which, "done", at=clock.utc_now(), progress=1.0, report=report.content()
            )
    logs.get("demo").info("demonstration_done", call=report.call_id, well=not report.faults())


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def media_url(settings: Settings) -> str:
    """Where the running media node is signalled to. Raises `Unavailable`."""
    if settings.media.public_url:
        return settings.media.public_url
    try:
        found = data_dir.addresses(settings.data_dir)["media"]
    except KeyError:
        raise Unavailable("The media node is not running.") from None
    return f"http://{found['host']}:{found['port']}"
