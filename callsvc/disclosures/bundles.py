"""The signed copy that is made of a disclosure: how far it is, and the key that it lies under until it is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store import Connection

JOB: Final = "bundle_disclosure"
KEPT: Final = timedelta(days=7)
"""So long it can be fetched; then it is made anew."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """`state`: queued, running, done, failed. `error`: why it failed, as a word for the program."""

    disclosure_id: UUID
    state: str
    progress: float
    error: str | None
    size: int | None
    wrapped_by: str | None
    wrapped: bytes | None
    made_at: datetime | None


_COLUMNS = ", ".join(Bundle.__dataclass_fields__)


def place(disclosure: UUID | str) -> str:
    """Where it lies in the object store."""
    return f"bundles/{disclosure}"


async def ask(conn: Connection, disclosure: UUID, *, at: datetime) -> bool:
    """Have it made; False when it is there or on its way."""
    cursor = await conn.execute(
        "insert into bundles (disclosure_id, state, asked_at) values (%(id)s, 'queued', %(at)s)"
        " on conflict (disclosure_id) do update set state = 'queued', progress = 0, error = null, asked_at = %(at)s"
        " where bundles.state = 'failed' returning 1",
        {"id": disclosure, "at": at},
    )
    return await cursor.fetchone() is not None


async def get(conn: Connection, disclosure: UUID) -> Bundle | None:
    async with conn.cursor(row_factory=class_row(Bundle)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from bundles where disclosure_id = %s", [disclosure])
        return await cursor.fetchone()


async def run(conn: Connection, disclosure: UUID, progress: float) -> None:
    await conn.execute(
        "update bundles set state = 'running', progress = %s where disclosure_id = %s", [progress, disclosure]
    )


async def fail(conn: Connection, disclosure: UUID, error: str) -> None:
    await conn.execute(
        "update bundles set state = 'failed', error = %s where disclosure_id = %s", [error, disclosure]
    )


async def finish(
    conn: Connection, disclosure: UUID, *, size: int, wrapped_by: str, wrapped: bytes, at: datetime
) -> None:
    await conn.execute(
        "update bundles set state = 'done', progress = 1, error = null, size = %s, wrapped_by = %s, wrapped = %s,"
        " made_at = %s where disclosure_id = %s",
        [size, wrapped_by, wrapped, at, disclosure],
    )


async def expire(conn: Connection, *, at: datetime) -> list[UUID]:
    """Forget those that nobody will fetch any more, and their keys; whose they were."""
    cursor = await conn.execute("delete from bundles where made_at < %s returning disclosure_id", [at - KEPT])
    return [row["disclosure_id"] for row in await cursor.fetchall()]
