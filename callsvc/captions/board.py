"""Captions and their state into the database, a few times a second, the latest of each: never a queue that grows.

A database that is away costs captions, and nothing else: what was said comes again in the transcript.
"""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID

import psycopg

from callsvc import logs
from callsvc.captions.room import Caption, Room
from callsvc.clock import Clock
from callsvc.errors import Unavailable
from callsvc.store import Database
from callsvc.store.captions import CaptionRow, StateRow, put, set_states

EVERY_S = 0.2
STATE_EVERY_S = 2.0
MOST = 2000


class Board:
    """`tell` from any thread; `run` in the event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._new: dict[tuple[UUID, str, int], Caption] = {}
        self._ended: frozenset[UUID] = frozenset()

    def tell(self, caption: Caption) -> None:
        place = caption.call, caption.leg, caption.n
        with self._lock:
            before = self._new.get(place)
            if len(self._new) < MOST and (caption.final or before is None or not before.final):
                self._new[place] = caption

    async def run(self, room: Room) -> None:
        """Until cancelled."""
        log = logs.get("captions")
        told = -STATE_EVERY_S
        away = False
        while True:
            await asyncio.sleep(EVERY_S)
            due = self._clock.monotonic() - told >= STATE_EVERY_S
            try:
                await self.write(room, states=due)
            except (Unavailable, psycopg.Error):
                if not away:
                    log.warning("database_away")
                away = True
            else:
                away = False
                told = self._clock.monotonic() if due else told

    async def write(self, room: Room, *, states: bool = True) -> None:
        """What is new, and how captioning is doing."""
        with self._lock:
            new, self._new = self._new, {}
        calls = room.calls
        self._ended = (self._ended | room.ended()) - calls
        if not new and not (states and (calls or self._ended)):
            return
        rows = [CaptionRow(c.call, c.leg, c.n, c.start_ms, c.end_ms, c.text, c.final) for c in new.values()]
        async with self._database.transaction() as conn:
            if rows:
                await put(conn, rows)
            if states:
                await set_states(conn, self._states(room, calls))
        if states:
            self._ended = frozenset()

    def _states(self, room: Room, calls: frozenset[UUID]) -> list[StateRow]:
        now = self._clock.utc_now()
        delay = round(1000 * room.scheduler.waited_s())
        put_off = room.put_off
        on = [StateRow(call, "behind" if room.behind else "on", "", delay, now) for call in calls - put_off]
        on += [StateRow(call, "off", "crowded", 0, now) for call in calls & put_off]
        return on + [StateRow(call, "off", "ended", 0, now) for call in self._ended]
