"""Cases: the calls that were written up under the same number, and what was marked and ticked in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store import Connection


@dataclass(frozen=True, slots=True)
class Case:
    """A number under which calls were written up."""

    number: str
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class InCase:
    """A call of a case. `moments` are its markers and its ticks, in the order of the call."""

    id: UUID
    profile: str
    started_at: datetime
    length_ms: int | None
    labels: list[str]
    told: list[str]
    hand_over: str
    moments: list[Moment]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that a person set down at a place in a call. `kind` is `marker` or `tick`; `what` which of them."""

    kind: str
    what: str
    at_ms: int | None


_CASES = """
    select w.case_number as number, count(*) as calls, min(c.started_at) as first_at, max(c.started_at) as last_at
      from wrap_ups w join calls c on c.id = w.call_id
     where w.case_number {which} and c.started_at is not null
     group by w.case_number order by last_at desc, number limit %(limit)s
"""
# So many of the newest calls that have a case: as a rule the newest cases are all among them.
_NEAR = 400
_NEWEST = f"""
    select distinct case_number as number from (
        select w.case_number from calls c join wrap_ups w on w.call_id = c.id and w.case_number is not null
         where c.state = 'ended' and c.started_at is not null order by c.started_at desc, c.id limit {_NEAR}) newest
"""


async def listing(conn: Connection, beginning: str = "", *, limit: int = 50) -> list[Case]:
    """Cases whose number begins so; those with the latest call first."""
    values: dict[str, Any] = {"limit": limit, "beginning": beginning}
    which = "^@ %(beginning)s" if beginning else "is not null"
    if not beginning:
        newest = await (await conn.execute(_NEWEST)).fetchall()
        if len(newest) >= limit:
            which, values["newest"] = "= any(%(newest)s)", [row["number"] for row in newest]
    async with conn.cursor(row_factory=class_row(Case)) as cursor:
        await cursor.execute(_CASES.format(which=which), values, prepare=False)
        return await cursor.fetchall()


async def calls_of(conn: Connection, number: str) -> list[InCase]:
    """The calls of a case, oldest first."""
    cursor = await conn.execute(
        "select c.id, c.profile, c.started_at, c.length_ms, w.labels, w.told, w.hand_over from wrap_ups w"
        " join calls c on c.id = w.call_id where w.case_number = %s and c.started_at is not null"
        " order by c.started_at, c.id",
        [number],
    )
    rows = await cursor.fetchall()
    moments = await _moments(conn, [row["id"] for row in rows])
    return [InCase(**row, moments=moments.get(row["id"], [])) for row in rows]


async def _moments(conn: Connection, calls: list[UUID]) -> dict[UUID, list[Moment]]:
    cursor = await conn.execute(
        "select call_id, 'marker' as kind, coalesce(what ->> 'marker', '') as what, at_ms from call_notes"
        " where note = 'marker' and call_id = any(%(calls)s)"
        " union all select call_id, 'tick', checklist || '/' || item, at_ms from ("
        " select distinct on (call_id, checklist, item) call_id, checklist, item, ticked, at_ms from checklist_ticks"
        " where call_id = any(%(calls)s) order by call_id, checklist, item, id desc) latest where ticked"
        " order by at_ms nulls last, kind, what",
        {"calls": calls},
    )
    found: dict[UUID, list[Moment]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row["call_id"], []).append(Moment(row["kind"], row["what"], row["at_ms"]))
    return found
