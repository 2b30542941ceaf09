"""The queue's own tables, at the version of the library that is installed."""

from __future__ import annotations

import asyncio
import contextlib
import re
from importlib import metadata, resources
from typing import Final

import psycopg
from structlog.typing import FilteringBoundLogger

from callsvc.config import Settings
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.store import address, migrate

LIBRARY = "procrastinate"
RETRY_S: Final = 0.25
"""A database that starts at the same time is there within a second or two, and everybody waits for whoever waits for it."""


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


async def prepare(conninfo: str) -> None:
    """Bring the database to this version's schema: the store's migrations, then the queue's.

    Safe to call from several processes at once. Raises `SchemaTooNew` and touches nothing when the database is ahead.
    """
    await migrate.migrate(conninfo)
    installed = metadata.version(LIBRARY)
    sql = resources.files(LIBRARY).joinpath("sql")
    async with await migrate.connect(conninfo) as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", [migrate.LOCK])
        await conn.execute(
            "create table if not exists queue_version (version text not null, at timestamptz not null default now())"
        )
        cursor = await conn.execute("select version from queue_version")
        row = await cursor.fetchone()
        if row is None:
            await conn.execute(sql.joinpath("schema.sql").read_bytes())
            await conn.execute("insert into queue_version (version) values (%s)", [installed])
            return
        there = str(row[0])
        if _version(there)[0] > _version(installed)[0]:
            raise ConfigurationError(
                "The job queue in the database belongs to {library} {there}; installed is {installed}.",
                hint="Install the newer version of the service. Nothing was changed.",
                library=LIBRARY,
                there=there,
                installed=installed,
            )
        if _version(there) >= _version(installed):
            return
        for entry in sorted(sql.joinpath("migrations").iterdir(), key=lambda e: e.name):
            match = re.fullmatch(r"(\d\d\.\d\d\.\d\d)_\d\d_\w+\.sql", entry.name)
            if match and _version(there) < _version(match[1]) <= _version(installed):
                await conn.execute(entry.read_bytes())
        await conn.execute("update queue_version set version = %s, at = now()", [installed])


async def prepared(settings: Settings, stop: asyncio.Event, log: FilteringBoundLogger) -> str | None:
    """The database's address, once it answers and has our schema; None when told to stop before."""
    told = False
    while not stop.is_set():
        try:
            conninfo = address(settings)
            await prepare(conninfo)
        except (Unavailable, psycopg.OperationalError):
            if not told:
                log.warning("database_away")
                told = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_S)
        else:
            return conninfo
    return None
