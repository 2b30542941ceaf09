"""Notes beside a call: lines of text, each at the moment of the call at which it was begun; and ticks of its checklists.

Only the author writes. Each save names the revision that it changes: of two pages that are open at once, the second
learns that the text has changed instead of writing over it. When the call is written up, its notes are closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import Conflict, UsageError
from callsvc.shift.guides import guides
from callsvc.store import Connection, calls
from callsvc.types import Profile


class Changed(Conflict):
    """The notes were saved from another page meanwhile."""


class Closed(Conflict):
    """The call has been written up; its notes are closed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of notes. `at_ms` is where in the call it was begun; None before and after the call."""

    at_ms: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    author: UUID
    lines: tuple[Line, ...]
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """How an item of a checklist stands."""

    checklist: str
    version: str
    item: str
    ticked: bool
    at_ms: int | None
    by_id: UUID
    at: datetime


async def of_call(conn: Connection, call_id: UUID) -> list[Notes]:
    """Everybody's, in the order in which they were begun."""
    cursor = await conn.execute(
        "select author_id, lines, revision, updated_at from operator_notes where call_id = %s"
        " order by updated_at, author_id",
        [call_id],
    )
    return [
        Notes(
            row["author_id"], tuple(Line(**line) for line in row["lines"]), row["revision"], row["updated_at"]
        )
        for row in await cursor.fetchall()
    ]


async def save(
    conn: Connection, call_id: UUID, author: UUID, lines: Sequence[Line], *, revision: int, at: datetime
) -> int:
    """Write the author's notes; the new revision. Raises `Changed`, `Closed`, `NotFound`."""
    await calls.get(conn, call_id)
    await still_open(conn, call_id)
    cursor = await conn.execute(
        "insert into operator_notes as n (call_id, author_id, lines, revision, updated_at)"
        " select %(call)s, %(author)s, %(lines)s, 1, %(at)s where %(revision)s = 0"
        " on conflict (call_id, author_id) do nothing returning revision",
        {
            "call": call_id, "author": author, "lines": _json(lines), "at": at, "revision": revision,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    if row is None:
        cursor = await conn.execute(
            "update operator_notes set lines = %s, revision = revision + 1, updated_at = %s"
            " where call_id = %s and author_id = %s and revision = %s returning revision",
            [_json(lines), at, call_id, author, revision],
        )
        row = await cursor.fetchone()
    if row is None:
        raise Changed
    return int(row["revision"])


def _json(lines: Sequence[Line]) -> Jsonb:
    return Jsonb([asdict(line) for line in lines])


async def tick(
    conn: Connection,
    call_id: UUID,
    person: UUID,
    *,
    checklist: str,
    item: str,
    ticked: bool,
    at_ms: int | None,
    at: datetime,
) -> None:
    """Tick an item of the call's checklists, or take the tick back.

    Raises `UsageError` for an item that the line does not have, `Closed`, `NotFound`.
    """
    call = await calls.get(conn, call_id)
    await still_open(conn, call_id)
    lists = {one.id: one for one in guides().checklists(Profile(call.profile))}
    found = lists.get(checklist)
    if found is None or item not in {one.id for one in found.item}:
        raise UsageError("This line has no such item.")
    await conn.execute(
        "insert into checklist_ticks (call_id, checklist, version, item, ticked, at_ms, by_id, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [call_id, checklist, found.version, item, ticked, at_ms, person, at],
    )


async def ticks(conn: Connection, call_id: UUID) -> list[Tick]:
    """How each item that was ever ticked stands now."""
    async with conn.cursor(row_factory=class_row(Tick)) as cursor:
        await cursor.execute(
            "select distinct on (checklist, item) checklist, version, item, ticked, at_ms, by_id, at"
            " from checklist_ticks where call_id = %s order by checklist, item, id desc",
            [call_id],
        )
        return await cursor.fetchall()


async def still_open(conn: Connection, call_id: UUID) -> None:
    """Raises `Closed`."""
    cursor = await conn.execute("select 1 from wrap_ups where call_id = %s and state = 'done'", [call_id])
    if await cursor.fetchone() is not None:
        raise Closed
