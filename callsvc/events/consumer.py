"""The consumer: what a media node tells is in the database before the node is told that it is.

take(message)   seq known already            -> acknowledge again
                another node has its name    -> not yet; it waits until somebody has given it one of its own
                the one before is missing    -> not yet; the node sends from there again
                else, in one transaction     -> write what it means, note the number, commit, acknowledge
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import psycopg
from prometheus_client import Counter
from pydantic import ValidationError

from callsvc import logs
from callsvc.bus import Ack, Resolve, subscribe
from callsvc.bus.envelope import Message
from callsvc.clock import Clock, SystemClock
from callsvc.errors import Unavailable
from callsvc.events.entries import ENTRIES, Told
from callsvc.events.kinds import Body, body
from callsvc.store import Connection, Database, nodes

TAKEN = Counter("callsvc_events_taken", "Events written into the database.")
REFUSED = Counter("callsvc_events_refused", "Events that made no sense and were passed over.")

PAUSE_S = 0.5


class Consumer:
    """Writes events into the database. Several may run at once."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._log = logs.get("events")
        self._away = False
        self._twins: set[str] = set()

    async def run(self, resolve: Resolve) -> None:
        """Take events from the broker until cancelled, whatever goes away meanwhile."""
        await subscribe(resolve, self.take)

    async def take(self, message: Message) -> Ack | None:
        """Take one event. Waits for the database; None means: not yet, send it again."""
        while True:
            try:
                ack = await self._try(message)
            except (Unavailable, psycopg.Error):
                if not self._away:
                    self._away = True
                    self._log.warning("database_away")
                await asyncio.sleep(PAUSE_S)
            else:
                self._away = False
                return ack

    async def _try(self, message: Message) -> Ack | None:
        node, outbox, at = message.node, message.outbox, self._clock.utc_now()
        async with self._database.transaction() as conn:
            known = await nodes.progress(conn, node, outbox=outbox, at=at)
            progress = known.seq
            if message.seq <= progress:
                return Ack(node, progress, outbox)
            if known.twin:
                await nodes.note_twin(conn, node, outbox=outbox, at=at)
                if node not in self._twins:
                    self._twins.add(node)
                    self._log.error("two_nodes_of_one_name", node=node)
                return None
            self._twins.discard(node)
            # What the node knows to be committed need not be here: this database may be younger than the node.
            if message.prev > max(progress, message.acked):
                return None
            if not await nodes.advance(conn, node, message.seq, outbox=outbox, at=at):
                return None  # Another consumer was quicker; the node sends on.
            await self._enter(conn, message)
        TAKEN.inc()
        return Ack(node, message.seq, outbox)

    async def _enter(self, conn: Connection, message: Message) -> None:
        """Write what the event means. One that makes no sense is passed over: it must not hold up the rest."""
        try:
            content = body(message.kind, message.fields)
            told = Told(message.call, message.node, self._time(message.at))
        except (ValidationError, ValueError):
            self._refuse(message, "form")
            return
        if content is None:
            self._refuse(message, "kind")
            return
        try:
            async with conn.transaction():
                await self._write(conn, told, content)
        except (psycopg.DataError, psycopg.IntegrityError):
            self._refuse(message, "data")

    @staticmethod
    async def _write(conn: Connection, told: Told, content: Body) -> None:
        await ENTRIES[type(content)](conn, told, content)

    @staticmethod
    def _time(text: str) -> datetime:
        at = datetime.fromisoformat(text)
        if at.utcoffset() != timedelta(0):
            raise ValueError("no time in UTC")
        return at

    def _refuse(self, message: Message, why: str) -> None:
        REFUSED.inc()
        self._log.error("event_refused", node=message.node, seq=message.seq, kind=message.kind[:40], why=why)
