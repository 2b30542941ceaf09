"""Writing a call up when it is over: its case, what it was about, what was told and consented to, what is handed over.

An operator is offered no call while one waits to be written up; one that is put off waits in their list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import Conflict, NotFound, UsageError
from callsvc.ids import new_id
from callsvc.shift.guides import Choice, guides
from callsvc.shift.notes import still_open
from callsvc.store import Connection, calls
from callsvc.types import Profile

FORGOTTEN: Final = timedelta(hours=24)
"""What nobody has written up for so long stands in nobody's way any more."""
_NUMBER: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{2,39}")


class NoCase(Conflict):
    """A call on the anonymous line is joined to no case."""


@dataclass(frozen=True, slots=True)
class WrapUp:
    call_id: UUID
    case_number: str | None
    labels: list[str]
    told: list[str]
    hand_over: str
    state: Literal["open", "later", "done"]


@dataclass(frozen=True, slots=True)
class Consent:
    """Who consented to what, and where in the call it was said; `given` is false for a refusal."""

    id: UUID
    who: str
    what: str
    given: bool
    at_ms: int | None
    recorded_by: UUID
    recorded_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A call that somebody has yet to write up."""

    id: UUID
    profile: str
    started_at: datetime
    ended_at: datetime
    length_ms: int | None
    later: bool
    line: str | None = None


def case_number(text: str) -> str | None:
    """The number as it is kept: capitals, no spaces; None for an empty one. Raises `UsageError`."""
    number = re.sub(r"\s+", "", text).upper()
    if not number:
        return None
    if not _NUMBER.fullmatch(number) or not any(c.isdigit() for c in number):
        raise UsageError("A case number has 3 to 40 letters, digits and hyphens.")
    return number


async def save(
    conn: Connection,
    call_id: UUID,
    person: UUID,
    *,
    case: str,
    labels: Collection[str],
    told: Collection[str],
    hand_over: str,
    state: str,
    at: datetime,
) -> None:
    """Keep what was filled in; `done` closes it. Raises `NoCase`, `Closed`, `UsageError`, `NotFound`."""
    call = await calls.get(conn, call_id)
    await still_open(conn, call_id)
    number = case_number(case)
    if number is not None and call.profile == Profile.ANONYMOUS:
        raise NoCase
    known = guides()
    await conn.execute(
        "insert into wrap_ups (call_id, by_id, case_number, labels, told, hand_over, state, saved_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (call_id) do update set by_id = excluded.by_id,"
        " case_number = excluded.case_number, labels = excluded.labels, told = excluded.told,"
        " hand_over = excluded.hand_over, state = excluded.state, saved_at = excluded.saved_at",
        [call_id, person, number, _of(labels, known.label), _of(told, known.told), hand_over, state, at],
    )


def _of(chosen: Collection[str], known: Sequence[Choice]) -> list[str]:
    names = [one.id for one in known]
    if not set(chosen) <= set(names):
        raise UsageError("That cannot be chosen.")
    return [name for name in names if name in chosen]


async def get(conn: Connection, call_id: UUID) -> WrapUp | None:
    async with conn.cursor(row_factory=class_row(WrapUp)) as cursor:
        await cursor.execute(
            "select call_id, case_number, labels, told, hand_over, state from wrap_ups where call_id = %s",
            [call_id],
        )
        return await cursor.fetchone()


async def due(conn: Connection, person: UUID, *, at: datetime) -> list[Due]:
    """The calls that this person answered and has yet to write up; those that were put off come last."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        await cursor.execute(
            "select c.id, c.profile, c.started_at, c.ended_at, c.length_ms, c.line, coalesce(w.state = 'later', false) as later"
            " from calls c left join wrap_ups w on w.call_id = c.id"
            " where c.answered_by = %s and c.state = 'ended' and c.started_at is not null and c.ended_at > %s"
            " and c.created_at > %s"
            " and coalesce(w.state, 'open') <> 'done' order by later, c.ended_at limit 50",
            [person, at - FORGOTTEN, at - 2 * FORGOTTEN],
        )
        return await cursor.fetchall()


async def consent(
    conn: Connection,
    call_id: UUID,
    person: UUID,
    *,
    who: str,
    what: str,
    given: bool,
    at_ms: int | None,
    at: datetime,
) -> Consent:
    """Write a consent down, or a refusal. Raises `UsageError`, `Closed`, `NotFound`."""
    await calls.get(conn, call_id)
    await still_open(conn, call_id)
    if what not in {one.id for one in guides().consent} or not who.strip() or not who.isprintable():
        raise UsageError("A consent names who consents, and to what.")
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(
            "insert into consents (id, call_id, who, what, given, at_ms, recorded_by, recorded_at)"
            f" values (%s, %s, %s, %s, %s, %s, %s, %s) returning {_CONSENT}",
            [new_id(), call_id, who.strip(), what, given, at_ms, person, at],
        )
        row = await cursor.fetchone()
    assert row is not None
    return row


_CONSENT = "id, who, what, given, at_ms, recorded_by, recorded_at, withdrawn_at"


async def consents(conn: Connection, call_id: UUID) -> list[Consent]:
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(
            f"select {_CONSENT} from consents where call_id = %s order by recorded_at, id", [call_id]
        )
        return await cursor.fetchall()


async def withdraw(conn: Connection, call_id: UUID, consent_id: UUID, person: UUID, *, at: datetime) -> None:
    """A consent is withdrawn, which is kept with when and by whom. Raises `NotFound`."""
    cursor = await conn.execute(
        "update consents set withdrawn_at = coalesce(withdrawn_at, %s), withdrawn_by = coalesce(withdrawn_by, %s)"
        " where id = %s and call_id = %s",
        [at, person, consent_id, call_id],
    )
    if cursor.rowcount == 0:
        raise NotFound("There is no such consent.")
