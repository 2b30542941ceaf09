"""How every part of the service is, as seen from here: a state, a code that the screens have words for, figures."""

from __future__ import annotations

import asyncio
import shutil
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from callsvc import data_dir, jobs
from callsvc.bus.address import broker
from callsvc.clock import Clock
from callsvc.config import MediaSettings, Settings, WorkerSettings
from callsvc.errors import CallsvcError, Unavailable
from callsvc.store import Database
from callsvc.transcripts import models
from callsvc.web.shapes import HealthOut, Part

TIMEOUT_S: Final = 2.0
GB: Final = 1_000_000_000
LOW_DISK_GB: Final = 2.0
MANY_WAITING: Final = 200

Code = tuple[str, str, dict[str, str | int | float]]


def address(settings: Settings, part: Literal["media", "worker"]) -> str:
    """Where a process answers HTTP: where it really listens, else where the settings say that it should."""
    named: MediaSettings | WorkerSettings = settings.media if part == "media" else settings.worker
    found = data_dir.addresses(settings.data_dir).get(part)
    if isinstance(found, dict) and "port" in found:
        return f"http://{found.get('host', named.host)}:{found['port']}"
    return f"http://{named.host}:{named.port}"


def media_url(settings: Settings, node: str | None = None) -> str:
    """Where clients signal to: the address of the node that has the call, where there are several."""
    own = settings.media.nodes.get(node) if node else None
    return own or settings.media.public_url or address(settings, "media")


def media_urls(settings: Settings) -> list[str]:
    """Every address that a client may be told to signal to."""
    return list(dict.fromkeys([media_url(settings), *settings.media.nodes.values()]))


class Probe:
    """Asks every part how it is; all at once, and nobody longer than two seconds."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock

    async def look(self) -> HealthOut:
        asked: dict[str, Callable[[], Awaitable[Code]]] = {
            "media": lambda: self._process("media"),
            "worker": lambda: self._process("worker"),
            "database": self._of_database,
            "broker": self._of_broker,
            "jobs": self._of_jobs,
            "disk": self._of_disk,
            "model": self._of_model,
        }
        found = await asyncio.gather(*(ask() for ask in asked.values()))
        parts = [Part(part="web", state="ok", code="ok", values={})]
        for name, (state, code, values) in zip(asked, found, strict=True):
            parts.append(Part.model_validate({"part": name, "state": state, "code": code, "values": values}))
        states = {part.state for part in parts}
        overall = "ok" if states == {"ok"} else "down" if "down" in states else "degraded"
        return HealthOut.model_validate({"at": self._clock.utc_now(), "overall": overall, "parts": parts})

    async def _process(self, part: Literal["media", "worker"]) -> Code:
        url = address(self._settings, part)
        try:
            status = await asyncio.to_thread(_status, f"{url}/readyz")
        except OSError:
            return "down", "unreachable", {"address": url}
        return ("ok", "ok", {}) if status == 200 else ("degraded", "not_ready", {"address": url})

    async def _of_database(self) -> Code:
        return ("ok", "ok", {}) if await self._database.ready() else ("down", "unreachable", {})

    async def _of_broker(self) -> Code:
        try:
            found = broker(self._settings)
        except CallsvcError:
            return "down", "absent", {}
        where = f"{found.host}:{found.port}"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _, writer = await asyncio.open_connection(found.host, found.port)
                writer.close()
                await writer.wait_closed()
        except OSError:
            return "down", "unreachable", {"address": where}
        return "ok", "ok", {"address": where}

    async def _of_jobs(self) -> Code:
        try:
            async with self._database.transaction() as conn:
                counts = await jobs.queue.counts(conn)
        except Unavailable:
            return "down", "unknown", {}
        waiting = sum(n for (_, state), n in counts.items() if state in ("todo", "doing"))
        failed = sum(n for (_, state), n in counts.items() if state == "failed")
        values: dict[str, str | int | float] = {"waiting": waiting, "failed": failed}
        if failed:
            return "degraded", "failed", values
        if waiting > MANY_WAITING:
            return "degraded", "many", values
        return "ok", "ok", values

    async def _of_disk(self) -> Code:
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, self._settings.data_dir)).free / GB
        except OSError:
            return "down", "unknown", {}
        state = "ok" if free >= LOW_DISK_GB else "degraded"
        return state, "ok" if state == "ok" else "low", {"free": round(free, 1)}

    async def _of_model(self) -> Code:
        try:
            card = await asyncio.to_thread(models.card, self._settings)
        except CallsvcError:
            return "degraded", "missing", {}
        return "ok", "ok", {"model": card.name}


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
