"""Captions of calls that go on, and how captioning itself is doing. Kept until the transcript is there, and not longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import Conflict
from callsvc.store.database import Connection

KEPT_MINUTES = 60


@dataclass(frozen=True, slots=True)
class CaptionRow:
    """`change` rises with every change of any caption. `corrected`: as a person put it right."""

    call_id: UUID
    leg: str
    n: int
    start_ms: int
    end_ms: int
    text: str
    final: bool
    change: int = 0
    corrected: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A word that was put right while the call went on; `at_ms` is where in the call it was said, about."""

    leg: str
    at_ms: int
    heard: str
    meant: str
    user_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class StateRow:
    call_id: UUID
    state: Literal["on", "behind", "off"]
    why: str
    delay_ms: int
    at: datetime


async def put(conn: Connection, rows: Sequence[CaptionRow]) -> None:
    """Write captions; a final one is not taken back by an interim one that comes late."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into captions (call_id, leg, n, start_ms, end_ms, text, final)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict (call_id, leg, n) do update set"
            " start_ms = excluded.start_ms, end_ms = excluded.end_ms, text = excluded.text,"
            " final = excluded.final, change = nextval('caption_changes')"
            " where excluded.final or not captions.final",
            [(r.call_id, r.leg, r.n, r.start_ms, r.end_ms, r.text, r.final) for r in rows],
        )


async def since(conn: Connection, call_id: UUID, change: int) -> list[CaptionRow]:
    """What changed after `change`, in the order of the call."""
    async with conn.cursor(row_factory=class_row(CaptionRow)) as cursor:
        await cursor.execute(
            "select call_id, leg, n, start_ms, end_ms, text, final, change, corrected from captions"
            " where call_id = %s and change > %s order by start_ms, leg",
            [call_id, change],
        )
        return await cursor.fetchall()


async def correct(
    conn: Connection,
    call_id: UUID,
    leg: str,
    n: int,
    word: int,
    heard: str,
    meant: str,
    *,
    user_id: UUID,
    at: datetime,
) -> CaptionRow:
    """Put a word of a caption right. Raises `Conflict` when `heard` does not stand there, or is not certain yet."""
    async with conn.cursor(row_factory=class_row(CaptionRow)) as cursor:
        await cursor.execute(
            "select call_id, leg, n, start_ms, end_ms, text, final, change, corrected from captions"
            " where call_id = %s and leg = %s and n = %s and final for update",
            [call_id, leg, n],
        )
        found = await cursor.fetchone()
        words = [] if found is None else (found.corrected or found.text).split()
        if found is None or word >= len(words) or words[word] != heard:
            raise Conflict("The caption has changed.")
        at_ms = found.start_ms + (found.end_ms - found.start_ms) * word // len(words)
        words[word] = meant
        await cursor.execute(
            "update captions set corrected = %s, change = nextval('caption_changes')"
            " where call_id = %s and leg = %s and n = %s returning"
            " call_id, leg, n, start_ms, end_ms, text, final, change, corrected",
            [" ".join(words), call_id, leg, n],
        )
        after = await cursor.fetchone()
    assert after is not None
    await conn.execute(
        "insert into caption_corrections (call_id, leg, at_ms, heard, meant, user_id, at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [call_id, leg, at_ms, heard, meant, user_id, at],
    )
    return after


async def corrections(conn: Connection, call_id: UUID) -> list[CorrectionRow]:
    """What was put right while the call went on, oldest first."""
    async with conn.cursor(row_factory=class_row(CorrectionRow)) as cursor:
        await cursor.execute(
            "select leg, at_ms, heard, meant, user_id, at from caption_corrections where call_id = %s order by id",
            [call_id],
        )
        return await cursor.fetchall()


async def set_states(conn: Connection, rows: Sequence[StateRow]) -> None:
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into caption_states (call_id, state, why, delay_ms, at) values (%s, %s, %s, %s, %s)"
            " on conflict (call_id) do update set state = excluded.state, why = excluded.why,"
            " delay_ms = excluded.delay_ms, at = excluded.at",
            [(r.call_id, r.state, r.why, r.delay_ms, r.at) for r in rows],
        )


async def state(conn: Connection, call_id: UUID) -> StateRow | None:
    async with conn.cursor(row_factory=class_row(StateRow)) as cursor:
        await cursor.execute(
            "select call_id, state, why, delay_ms, at from caption_states where call_id = %s", [call_id]
        )
        return await cursor.fetchone()


async def clear(conn: Connection, *, at: datetime) -> int:
    """Remove the captions of calls that have a transcript, or that nobody has captioned for an hour. How many calls."""
    cursor = await conn.execute(
        "with over as (delete from caption_states s where s.at < %s - make_interval(mins => %s)"
        " or exists (select 1 from transcripts t where t.call_id = s.call_id and t.state = 'done')"
        " returning call_id) delete from captions where call_id in (select call_id from over)"
        " or call_id not in (select call_id from caption_states)",
        [at, KEPT_MINUTES],
    )
    return cursor.rowcount
