"""All parts together: order of start, run/ports.json, the first administrator, and an end that leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from callsvc import data_dir as directory
from callsvc import logs
from callsvc.access import first
from callsvc.access.first import OneTime
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.errors import CallsvcError, Unavailable
from callsvc.jobs import prepare
from callsvc.serve import plan
from callsvc.serve.database import NAME as DATABASE
from callsvc.serve.database import EmbeddedDatabase
from callsvc.serve.part import Life, Part, Patience, keep_short
from callsvc.store import Database

# First those that people and calls hang on, so that what they still say is taken in by those behind them.
STOP_ORDER: Final = ("media", "captions", "worker", "web", "broker", DATABASE)
Say = Callable[..., None]
TERMINATE_S: Final = 30.0  # what calls get when it is no person who asks for the end
SAY_AFTER_S: Final = 4.0
RETRY_S: Final = 1.0
LOGS_EVERY_S: Final = 60.0
WAITING_S: Final = 15.0


class Supervisor:
    """Runs the service in a data directory. `say(key, **values)` tells a person at the terminal what happens."""

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        clock: Clock,
        say: Say,
        *,
        patience: Patience | None = None,
    ) -> None:
        """Checks all that can be checked before anything is started. Raises `ConfigurationError`, `MissingPart`."""
        self._settings = settings
        self._data_dir = data_dir
        self._clock = clock
        self._say = say
        self._log = logs.get("serve")
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._fatal: CallsvcError | None = None
        self.plan = plan.make(settings, data_dir)
        self.database: EmbeddedDatabase | None = None
        if not settings.database.url.get_secret_value():
            self.database = EmbeddedDatabase(data_dir, self._changed)
        parts: dict[str, Part] = dict(self.plan.parts)
        if self.database is not None:
            parts[DATABASE] = self.database.part()
        self.lives = {
            name: Life(
                part,
                data_dir / "logs" / f"{name}.jsonl",
                patience or Patience(),
                self._changed,
                self._cannot,
            )
            for name, part in parts.items()
        }

    def stop(self) -> None:
        """Stop when the calls that run have ended; called again, end them."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _terminate(self) -> None:
        self.stop()
        asyncio.get_running_loop().call_later(TERMINATE_S, self._hurry.set)

    async def run(self) -> None:
        """Until `stop`, Ctrl-C (as `stop`) or SIGTERM (calls get `TERMINATE_S` seconds).

        Raises what a part cannot be started for when no other try would mend it, after all has stopped again.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._terminate)
        self._write_addresses()
        running: list[asyncio.Task[Any]] = []
        try:
            # None waits for another to be started: each says on /readyz what it still lacks.
            running += self._start("media", "broker", DATABASE, "web", "worker", "captions")
            running.append(asyncio.create_task(self._keep_logs_short(), name="logs"))
            if self.database is not None:
                running.append(asyncio.create_task(self.database.guard(), name="guard"))
            starting = asyncio.create_task(self._come_up(), name="start")
            stopped = asyncio.create_task(self._stop.wait())
            running += [starting, stopped, asyncio.create_task(self._tell_who_is_awaited(starting))]
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await stopped
        finally:
            self._say("serve.stopping")
            await self._end(running)
            self._say("serve.stopped")
        if self._fatal is not None:
            raise self._fatal

    def _start(self, *names: str) -> list[asyncio.Task[Any]]:
        return [
            asyncio.create_task(self.lives[name].run(), name=name) for name in names if name in self.lives
        ]

    async def _come_up(self) -> None:
        if DATABASE in self.lives:
            await self.lives[DATABASE].ready.wait()
        account = await self._first_administrator()
        await asyncio.gather(*(life.ready.wait() for life in self.lives.values()))
        self._say("serve.ready", url=self.plan.url)
        if account is not None:
            self._say("serve.first_administrator", name=account.name, password=account.password)
        self._say("serve.how_to_stop")

    async def _first_administrator(self) -> OneTime | None:
        async with Database(self.conninfo(), pool_max=2) as database:
            while True:
                try:
                    await prepare(self.conninfo())
                    async with database.transaction() as conn:
                        return await first.administrator(conn, at=self._clock.utc_now())
                except Unavailable:
                    await asyncio.sleep(RETRY_S)

    def conninfo(self) -> str:
        if self.database is not None:
            return self.database.conninfo
        return self._settings.database.url.get_secret_value()

    async def _end(self, running: list[asyncio.Task[Any]]) -> None:
        media = self.lives["media"]
        if media.ready.is_set() and not self._hurry.is_set():
            patience = asyncio.get_running_loop().call_later(SAY_AFTER_S, self._say, "serve.calls_run")
        else:
            patience = None
        for name in STOP_ORDER:
            if name in self.lives:
                await self.lives[name].stop(self._hurry)
            if name == "media" and patience is not None:
                patience.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # A part that was being started in that moment.
        for life in self.lives.values():
            await life.stop(self._hurry)
        if self.database is not None:
            self.database.cluster.forget_socket()
        (self._data_dir / "run" / "ports.json").unlink(missing_ok=True)

    def _write_addresses(self) -> None:
        found = dict(self.plan.addresses)
        if self.database is not None:
            found["database"] = self.database.address
        found["serve"] = {"pid": os.getpid(), "url": self.plan.url}
        directory.write_addresses(self._data_dir, found)

    async def _tell_who_is_awaited(self, starting: asyncio.Task[None]) -> None:
        while True:
            await asyncio.wait([starting], timeout=WAITING_S)
            if starting.done():
                return
            awaited = [name for name, life in self.lives.items() if not life.ready.is_set()]
            self._say("serve.waiting", parts=", ".join(awaited), log=self._data_dir / "logs")

    async def _keep_logs_short(self) -> None:
        while True:
            for file in (self._data_dir / "logs").glob("*.jsonl"):
                await asyncio.to_thread(keep_short, file)
            await asyncio.sleep(LOGS_EVERY_S)

    def _cannot(self, error: CallsvcError) -> None:
        """A part that can never be started: nothing runs yet that anybody hangs on, so end with its message."""
        self._fatal = self._fatal or error
        self._stop.set()
        self._hurry.set()

    def _changed(self, part: str, event: str, code: int | None) -> None:
        self._log.info("part", name=part, event_kind=event, code=code)
        log_file = self._data_dir / "logs" / f"{part}.jsonl"
        if event == "ready":
            if self.lives[part].starts > 1:
                self._say("serve.part_back", part=part)
        elif not self._stop.is_set():
            self._say(f"serve.part_{event}", part=part, code="" if code is None else code, log=log_file)
