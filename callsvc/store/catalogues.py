"""The texts that administrators edit, version by version. Version 0 is what comes with the service, and lies in no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import Conflict, NotFound
from callsvc.store import Connection


@dataclass(frozen=True, slots=True)
class Version:
    """One text as it was saved. `undoes`: the older version whose text this one brings back."""

    kind: str
    version: int
    body: str
    why: str
    undoes: int | None
    by_id: UUID | None
    at: datetime


_COLUMNS = ", ".join(Version.__dataclass_fields__)


async def latest(conn: Connection) -> dict[str, Version]:
    """The version in force of each kind that was ever edited."""
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        await cursor.execute(
            f"select distinct on (kind) {_COLUMNS} from catalogues order by kind, version desc"
        )
        return {one.kind: one for one in await cursor.fetchall()}


async def history(conn: Connection, kind: str) -> list[Version]:
    """Newest first."""
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from catalogues where kind = %s order by version desc", [kind]
        )
        return await cursor.fetchall()


async def get(conn: Connection, kind: str, version: int) -> Version:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from catalogues where kind = %s and version = %s", [kind, version]
        )
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such version.")
    return found


async def save(
    conn: Connection,
    kind: str,
    body: str,
    *,
    after: int,
    why: str,
    by: UUID,
    at: datetime,
    undoes: int | None = None,
) -> Version:
    """A new version after the one that was looked at. Raises `Conflict` when somebody saved one meanwhile."""
    made = Version(kind, after + 1, body, why, undoes, by, at)
    last = (await latest(conn)).get(kind)
    if (last.version if last else 0) != after:
        raise Conflict("Somebody has saved another version meanwhile.")
    cursor = await conn.execute(
        f"insert into catalogues ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [kind, made.version, body, why, undoes, by, at],
    )
    if cursor.rowcount == 0:
        raise Conflict("Somebody has saved another version meanwhile.")
    return made
