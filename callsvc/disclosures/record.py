"""Decisions to hand out, or not to: written down once and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import NotFound
from callsvc.store import Connection


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A decision. `copy_id` is the redacted copy that leaves, None for the whole; `heard_ms` and `words` are how much."""

    id: UUID
    call_id: UUID
    copy_id: UUID | None
    basis: str
    basis_version: str
    answers: dict[str, Any]
    recipient: str
    granted: bool
    motive: str
    heard_ms: int | None
    words: int | None
    by_id: UUID
    at: datetime


_COLUMNS = "id, call_id, copy_id, basis, basis_version, answers, recipient, granted, motive, heard_ms, words, by_id, at"


async def add(conn: Connection, one: Disclosure) -> None:
    await conn.execute(
        f"insert into disclosures ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            one.id, one.call_id, one.copy_id, one.basis, one.basis_version, Jsonb(one.answers), one.recipient,
            one.granted, one.motive, one.heard_ms, one.words, one.by_id, one.at,
        ],
    )  # fmt: skip


async def get(conn: Connection, disclosure: UUID) -> Disclosure:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Disclosure)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from disclosures where id = %s", [disclosure])
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such disclosure.")


async def of_call(conn: Connection, call_id: UUID) -> list[Disclosure]:
    """Oldest first."""
    async with conn.cursor(row_factory=class_row(Disclosure)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from disclosures where call_id = %s order by at, id", [call_id]
        )
        return await cursor.fetchall()
