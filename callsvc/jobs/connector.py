"""The queue library's way to the database, made to outlast a database that is away.

The library stops a worker when its heartbeat cannot be written, and stops listening for good when the connection that
listens is lost and the next attempt fails too. Here each waits and goes on. What is put into the queue while nobody
listens tells nobody; the library would find it at its next poll. Here a worker looks whenever it begins to listen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import LISTEN_TIMEOUT, Notify
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool

from callsvc import logs

RETRY_S: Final = 1.0
LOOK: Final = '{"type": "job_inserted", "job_id": 0}'
"""What the library is told when a job is put into the queue; it looks for any."""
T = TypeVar("T")


class PatientConnector(PsycopgConnector):
    """Retries what fails because the database is away, until it is back or `give_up` is set."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, retry_s: float = RETRY_S) -> None:
        super().__init__()
        self._given_pool = pool
        self._retry_s = retry_s
        self._log = logs.get("jobs")
        self.give_up = asyncio.Event()
        self.away = False

    async def open_async(self, pool: AsyncConnectionPool[Any] | None = None) -> None:
        await super().open_async(pool or self._given_pool)

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        await self._patiently(lambda: super(PatientConnector, self).execute_query_async(query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        return await self._patiently(
            lambda: super(PatientConnector, self).execute_query_one_async(query, **arguments)
        )

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return await self._patiently(
            lambda: super(PatientConnector, self).execute_query_all_async(query, **arguments)
        )

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        names = list(channels)
        await self._patiently(lambda: super(PatientConnector, self).listen_notify(on_notification, names))

    async def _loop_notify(
        self,
        on_notification: Notify,
        connection: psycopg.AsyncConnection[Any],
        timeout: float = LISTEN_TIMEOUT,
    ) -> None:
        await on_notification(channel="", payload=LOOK)
        await super()._loop_notify(on_notification, connection, timeout)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                answer = await ask()
            except ConnectorException as error:
                if self.give_up.is_set() or not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                if not self.away:
                    self.away = True
                    self._log.warning("database_away")
            else:
                if self.away:
                    self.away = False
                    self._log.info("database_back")
                return answer
            try:
                async with asyncio.timeout(self._retry_s):
                    await self.give_up.wait()
            except TimeoutError:
                pass
