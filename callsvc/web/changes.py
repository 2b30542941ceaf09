"""Tells the screens that something they show has changed: topics only, which each screen fetches with its own rights.

One question to the database a second, while anybody watches, tells what has changed, whichever process changed it;
`poke` asks at once. A screen that is slow to read misses nothing: what it has not read yet is one set of topics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from prometheus_client import Gauge

from callsvc import logs
from callsvc.errors import Unavailable
from callsvc.shift import queue
from callsvc.store import Database, overview
from callsvc.web.problems import Problem

LOOK_EVERY_S: Final = 1.0
HEALTH_EVERY: Final = 10  # looks
MAX_WATCHERS: Final = 500

_log = logs.get("web")
_watching = Gauge("callsvc_web_watchers", "Screens that are told of changes.")


class Watcher:
    """One screen's view of what has changed since it last asked."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._some = asyncio.Event()

    def tell(self, topics: set[str]) -> None:
        self._topics |= topics
        self._some.set()

    async def next(self, timeout_s: float) -> set[str]:
        """The topics that changed; empty when none did within the time."""
        try:
            await asyncio.wait_for(self._some.wait(), timeout_s)
        except TimeoutError:
            return set()
        self._some.clear()
        topics, self._topics = self._topics, set()
        return topics


class Changes:
    """Owned by the root, which runs `run` as a task."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: set[Watcher] = set()
        self._poked = asyncio.Event()
        self._known: dict[str, str] | None = None
        self.closing = asyncio.Event()

    def poke(self) -> None:
        """Look now. To be called in the event loop."""
        self._poked.set()

    def close(self) -> None:
        """Let everybody who watches go home, so that the server can stop."""
        self.closing.set()
        for watcher in self._watchers:
            watcher.tell(set())

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def admit(self) -> None:
        """Raises `Problem` when too many watch."""
        if self.watching >= MAX_WATCHERS:
            raise Problem("too_many_watching")

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """What has changed, for as long as the block lasts."""
        watcher = Watcher()
        self._watchers.add(watcher)
        _watching.set(len(self._watchers))
        self.poke()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            _watching.set(len(self._watchers))

    async def run(self) -> None:
        """Look until cancelled. A database that is away is looked for again; the screens poll meanwhile."""
        looks = 0
        while True:
            await self._rest()
            if not self._watchers:
                self._known = None
                await self._poked.wait()
                continue
            looks += 1
            topics = {"health"} if looks % HEALTH_EVERY == 0 else set()
            try:
                topics |= await self._look()
            except Unavailable:
                _log.debug("changes_unknown")
                self._known = None
            if topics:
                for watcher in self._watchers:
                    watcher.tell(topics)

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._poked.wait(), LOOK_EVERY_S)
        # Also when nobody watches: what stays poked would never rest again.
        self._poked.clear()

    async def _look(self) -> set[str]:
        async with self._database.transaction() as conn:
            now = await overview.fingerprints(conn) | {"shift": await queue.fingerprint(conn)}
        # After a pause nobody knows what was missed: everything that is on a screen is fetched once.
        before, self._known = self._known, now
        if before is None:
            topics = set(now)
        else:
            topics = {topic for topic in now.keys() | before.keys() if now.get(topic) != before.get(topic)}
        if any(topic.startswith("call:") for topic in topics):
            topics.add("calls")
        return topics
