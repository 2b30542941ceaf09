"""Demonstration calls that somebody asked for, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import NotFound
from callsvc.store.database import Connection

DemonstrationState = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """`progress` runs from 0 to 1; `step` names what is being done, as a catalogue key."""

    id: UUID
    call_id: UUID | None
    state: DemonstrationState
    progress: float
    step: str
    report: dict[str, Any] | None
    error: str | None
    created_by: UUID | None
    created_at: datetime
    finished_at: datetime | None


async def create(conn: Connection, demonstration_id: UUID, *, created_by: UUID | None, at: datetime) -> None:
    await conn.execute(
        "insert into demonstrations (id, state, created_by, created_at) values (%s, 'queued', %s, %s)",
        [demonstration_id, created_by, at],
    )


async def update(
    conn: Connection,
    demonstration_id: UUID,
    state: DemonstrationState,
    *,
    at: datetime,
    progress: float | None = None,
    step: str | None = None,
    call_id: UUID | None = None,
    report: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """What is None stays as it was. `at` is when a final state was reached."""
    await conn.execute(
        "update demonstrations set state = %s, progress = coalesce(%s, progress), step = coalesce(%s, step),"
        " call_id = coalesce(%s, call_id), report = coalesce(%s, report), error = coalesce(%s, error),"
        " finished_at = %s where id = %s",
        [
            state,
            progress,
            step,
            call_id,
            None if report is None else Jsonb(report),
            error,
            at if state in ("done", "failed") else None,
            demonstration_id,
        ],
    )


async def get(conn: Connection, demonstration_id: UUID) -> Demonstration:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Demonstration)) as cursor:
        await cursor.execute(
            "select id, call_id, state, progress, step, report, error, created_by, created_at, finished_at"
            " from demonstrations where id = %s",
            [demonstration_id],
        )
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such demonstration call.")


async def latest(conn: Connection) -> Demonstration | None:
    """The one that was asked for last."""
    async with conn.cursor(row_factory=class_row(Demonstration)) as cursor:
        await cursor.execute(
            "select id, call_id, state, progress, step, report, error, created_by, created_at, finished_at"
            " from demonstrations order by created_at desc, id limit 1"
        )
        return await cursor.fetchone()
