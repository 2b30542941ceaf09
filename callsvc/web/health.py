"""How every part of the service is, as seen from here: a state, a code that the screens have words for, figures."""

from __future__ import annotations

import asyncio
import shutil
import stat
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from callsvc import data_dir, jobs, logs
from callsvc.bus.address import broker
from callsvc.clock import Clock
from callsvc.config import MediaSettings, Settings, WorkerSettings
from callsvc.errors import CallsvcError, Unavailable
from callsvc.recordings import key_source
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.objects import objects
from callsvc.store import Database, standing
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose
from callsvc.web.shapes import HealthOut, Part

TIMEOUT_S: Final = 2.0
PATIENCE_S: Final = 6.0
"""The database is waited for this long before it counts as away."""
GB: Final = 1_000_000_000
LOW_DISK_GB: Final = 2.0
MANY_WAITING: Final = 200
LONG_WAIT_MIN: Final = 60
WATCH_S: Final = 30.0
SILENT: Final = timedelta(minutes=3)
"""A node tells of every call that is recorded each ten seconds."""
STAMPED_WITHIN: Final = timedelta(hours=2)

Code = tuple[str, str, dict[str, str | int | float]]
_log = logs.get("web")


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
    """Asks every part how it is; all at once, and nobody longer than two seconds. Remembers since when it has been so."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._since: dict[str, tuple[str, datetime, bool]] = {}
        self._asking: dict[str, asyncio.Task[Code]] = {}

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look from time to time, so that it is known since when a part has been away; until cancelled."""
        while True:
            told = await self.look()
            for part in told.parts:
                if part.since == told.at and not part.at_least:
                    _log.info("part_changed", part=part.part, state=part.state, code=part.code)
            await sleep(WATCH_S)

    async def look(self) -> HealthOut:
        asked: dict[str, Callable[[], Awaitable[Code]]] = {
            "media": lambda: self._process("media"),
            "worker": lambda: self._process("worker"),
            "database": self._of_database,
            "broker": self._of_broker,
            "nodes": self._of_nodes,
            "jobs": self._of_jobs,
            "disk": self._of_disk,
            "store": self._of_store,
            "keys": self._of_keys,
            "stamps": self._of_stamps,
            "model": self._of_model,
            "captions": self._of_captions,
        }
        found = await asyncio.gather(*(self._in_time(name, ask) for name, ask in asked.items()))
        at = self._clock.utc_now()
        parts = [self._part("web", ("ok", "ok", {}), at)]
        parts += [self._part(name, code, at) for name, code in zip(asked, found, strict=True)]
        states = {part.state for part in parts}
        overall = "ok" if states == {"ok"} else "down" if "down" in states else "degraded"
        return HealthOut.model_validate({"at": at, "overall": overall, "parts": parts})

    async def _in_time(self, name: str, ask: Callable[[], Awaitable[Code]]) -> Code:
        """The part's own answer. One that takes too long is asked no second time while the first question stands."""
        asking = self._asking.get(name)
        if asking is None or asking.done():
            asking = self._asking[name] = asyncio.ensure_future(ask())
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE_S)
        return asking.result() if done else ("down", "slow", {"seconds": PATIENCE_S})

    def _part(self, name: str, code: Code, at: datetime) -> Part:
        state, what, values = code
        known = self._since.get(name)
        if known is None or known[0] != state:
            known = self._since[name] = (state, at, known is None)
        return Part.model_validate(
            {
                "part": name,
                "state": state,
                "code": what,
                "values": values,
                "since": known[1],
                "at_least": known[2],
            }
        )

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
                oldest = await jobs.queue.oldest(conn)
        except Unavailable:
            return "down", "unknown", {}
        waiting = sum(n for (_, state), n in counts.items() if state in ("todo", "doing"))
        failed = sum(n for (_, state), n in counts.items() if state == "failed")
        minutes = 0 if oldest is None else int((self._clock.utc_now() - oldest).total_seconds() // 60)
        values: dict[str, str | int | float] = {"waiting": waiting, "failed": failed, "minutes": minutes}
        if failed:
            return "degraded", "failed", values
        if minutes >= LONG_WAIT_MIN:
            return "degraded", "old", values
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

    async def _of_nodes(self) -> Code:
        try:
            async with self._database.transaction() as conn:
                found = await standing.nodes(conn)
        except Unavailable:
            return "down", "unknown", {}
        now = self._clock.utc_now()
        silent = [one.node for one in found if one.live and now - one.heard_at > SILENT]
        twins = [one.node for one in found if one.twin_at and now - one.twin_at < SILENT]
        values: dict[str, str | int | float] = {
            "nodes": len(found),
            "calls": sum(one.live for one in found),
            "names": ", ".join(twins or silent),
        }
        if twins:
            return "degraded", "twins", values
        if silent:
            return "degraded", "silent", values
        return "ok", "ok" if found else "none", values

    async def _of_store(self) -> Code:
        where = "s3" if self._settings.store.url.startswith("s3:") else "files"
        try:
            await asyncio.to_thread(lambda: objects(self._settings).size("health"))
        except NoRecording:
            return "ok", where, {}
        except CallsvcError:
            return "down", "unreachable", {}
        return "ok", where, {}

    async def _of_keys(self) -> Code:
        try:
            ring = await asyncio.to_thread(key_source.existing, self._settings)
            open_keys = await asyncio.to_thread(self._open_keys)
        except (CallsvcError, OSError):
            return "down", "unreachable", {}
        if ring is None:
            return "degraded", "absent", {}
        if open_keys:
            return "degraded", "open", {"names": ", ".join(open_keys)}
        return "ok", self._settings.keys.source, {}

    def _open_keys(self) -> list[str]:
        """Secret files that others than their owner can read."""
        directory = key_source.key_directory(self._settings)
        return sorted(
            one.name
            for one in directory.glob("*")
            if one.suffix != ".pub" and one.is_file() and stat.S_IMODE(one.stat().st_mode) & 0o077
        )

    async def _of_stamps(self) -> Code:
        if not self._settings.timestamp.url:
            return "ok", "none", {}
        now = self._clock.utc_now()
        try:
            async with self._database.transaction() as conn:
                waiting, oldest = await standing.unstamped(conn, now - STAMPED_WITHIN)
        except Unavailable:
            return "down", "unknown", {}
        if oldest is None:
            return "ok", "ok", {}
        return "degraded", "late", {"waiting": waiting, "hours": int((now - oldest).total_seconds() // 3600)}

    async def _of_captions(self) -> Code:
        if models.directory(self._settings, Purpose.LIVE) is None:
            return "ok", "off", {}
        try:
            async with self._database.transaction() as conn:
                behind = await standing.captions_behind(conn, self._clock.utc_now() - SILENT)
        except Unavailable:
            return "down", "unknown", {}
        if behind:
            return "degraded", "behind", {"calls": behind}
        try:
            _, writer = await asyncio.open_unix_connection(data_dir.captions_socket(self._settings.data_dir))
        except OSError:
            return "degraded", "unreachable", {}
        writer.close()
        return "ok", "ok", {}


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
