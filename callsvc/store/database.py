"""The pool of connections, and where the database is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from callsvc import data_dir
from callsvc.config import Settings
from callsvc.errors import Unavailable

Connection: TypeAlias = AsyncConnection[DictRow]

WAIT_S = 5.0
# A lost connection is tried anew this long; then the next caller starts over, so that recovery never waits for a
# back-off that grew while the database was away.
RECONNECT_S = 4.0
STATEMENT_TIMEOUT_MS = 30_000


def address(settings: Settings) -> str:
    """The connection string of the database in use: the one in the settings, else the embedded one.

    `callsvc serve` writes the embedded one's address into run/ports.json. Raises `Unavailable` when nobody has.
    """
    if url := settings.database.url.get_secret_value():
        return url
    try:
        return make_conninfo("", **data_dir.addresses(settings.data_dir)["database"])
    except (KeyError, TypeError, psycopg.ProgrammingError):
        raise Unavailable(
            "The embedded database is not running.", hint="Start `callsvc serve`, or set database.url."
        ) from None


class Database:
    """A pool of connections that finds the database again after it was away."""

    def __init__(self, conninfo: str, *, pool_max: int = 10) -> None:
        self.conninfo = conninfo
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            connection_class=AsyncConnection[DictRow],
            kwargs={
                "row_factory": dict_row,
                "connect_timeout": 5,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
                "application_name": "callsvc",
            },
            min_size=1,
            max_size=pool_max,
            timeout=WAIT_S,
            reconnect_timeout=RECONNECT_S,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    @property
    def pool(self) -> AsyncConnectionPool[Connection]:
        return self._pool

    async def open(self) -> None:
        """Start the pool; does not wait for the database, which may come later."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that commits at the end of the block and rolls back on an exception.

        Raises `Unavailable` when the database is away or goes away meanwhile.
        """
        try:
            async with self._pool.connection() as conn, conn.transaction():
                yield conn
        except (PoolTimeout, PoolClosed, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable("The database is away.") from error

    async def ready(self) -> bool:
        """Whether a question is answered now."""
        try:
            async with self.transaction() as conn:
                await conn.execute("select 1")
        except Unavailable:
            return False
        return True


def describe(conninfo: str) -> dict[str, Any]:
    """Where a connection string points, without its password; for logs and messages."""
    found = psycopg.conninfo.conninfo_to_dict(conninfo)
    return {key: found[key] for key in ("host", "port", "dbname") if key in found}
