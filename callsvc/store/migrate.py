"""Migrations: SQL files that go forward, each in a transaction of its own, one process at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import AsyncConnection

from callsvc.errors import ConfigurationError, Unavailable

# Any number will do, as long as nobody else in this database uses it.
LOCK = 0x43414C4C


class SchemaTooNew(ConfigurationError):
    """The database was written by a newer version of the service."""

    default_hint = "Install that version or a later one. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All that this version knows, in order; numbers rise by one from 1."""
    found = [
        Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8"))
        for entry in resources.files("callsvc.store").joinpath("migrations").iterdir()
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name))
    ]
    found.sort(key=lambda m: m.number)
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ConfigurationError("The migrations are not numbered from 1 without a hole.")
    return found


async def connect(conninfo: str) -> AsyncConnection[tuple[object, ...]]:
    """A connection outside any pool, each statement its own transaction. Raises `Unavailable`."""
    try:
        return await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise Unavailable("The database is away.") from error


async def version(conn: AsyncConnection[tuple[object, ...]]) -> int:
    """The number of the last migration that this database has; 0 for an empty one."""
    cursor = await conn.execute("select to_regclass('schema_version') is not null")
    if await cursor.fetchone() != (True,):
        return 0
    cursor = await conn.execute("select coalesce(max(number), 0) as number from schema_version")
    (number,) = await cursor.fetchone() or (0,)
    return int(str(number))


async def migrate(conninfo: str, known: list[Migration] | None = None) -> int:
    """Bring the database to this version's schema; how many migrations that took.

    Safe to call from several processes at once. Raises `SchemaTooNew` when the database is ahead of this version, and
    `Unavailable`.
    """
    known = migrations() if known is None else known
    done = 0
    async with await connect(conninfo) as conn:
        await conn.execute("select pg_advisory_lock(%s)", [LOCK])
        at = await version(conn)
        if at > len(known):
            raise SchemaTooNew(
                "The database has schema version {at}; this version of the service knows {known}.",
                at=at,
                known=len(known),
            )
        for migration in known[at:]:
            async with conn.transaction():
                await conn.execute(
                    "create table if not exists schema_version"
                    " (number integer primary key, name text not null, at timestamptz not null default now())"
                )
                await conn.execute(migration.sql.encode())
                await conn.execute(
                    "insert into schema_version (number, name) values (%s, %s)",
                    [migration.number, migration.name],
                )
            done += 1
    return done
