"""Transcripts and their utterances: what the machine heard, never changed afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import NotFound
from callsvc.store.database import Connection
from callsvc.types import TranscriptState


@dataclass(frozen=True, slots=True)
class Transcript:
    """`progress` runs from 0 to 1."""

    id: UUID
    call_id: UUID
    state: str
    model: str | None
    model_sha256: str | None
    language: str
    progress: float
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Times from the start of the call; `words` is a list of {"start_ms", "end_ms", "text", "probability"}."""

    n: int
    leg: str
    start_ms: int
    end_ms: int
    text: str
    words: list[Any]


_TRANSCRIPT = "id, call_id, state, model, model_sha256, language, progress, error, created_at, finished_at"


async def create(
    conn: Connection, transcript_id: UUID, call_id: UUID, *, language: str, at: datetime
) -> None:
    """A transcript that waits in the queue."""
    await conn.execute(
        "insert into transcripts (id, call_id, state, language, created_at) values (%s, %s, 'queued', %s, %s)",
        [transcript_id, call_id, language, at],
    )


async def set_state(
    conn: Connection,
    transcript_id: UUID,
    state: TranscriptState,
    *,
    at: datetime,
    progress: float | None = None,
    model: str | None = None,
    model_sha256: str | None = None,
    error: str | None = None,
) -> None:
    """What is None stays as it was, but `error`, which belongs to the state. `at` is when a final state was reached."""
    final = state in (TranscriptState.DONE, TranscriptState.FAILED)
    await conn.execute(
        "update transcripts set state = %s, progress = coalesce(%s, progress), model = coalesce(%s, model),"
        " model_sha256 = coalesce(%s, model_sha256), error = %s, finished_at = %s where id = %s",
        [state, progress, model, model_sha256, error, at if final else None, transcript_id],
    )


async def set_progress(conn: Connection, transcript_id: UUID, progress: float) -> None:
    await conn.execute("update transcripts set progress = %s where id = %s", [progress, transcript_id])


async def replace_utterances(conn: Connection, transcript_id: UUID, utterances: Sequence[Utterance]) -> None:
    """All utterances at once, so that a job that runs twice leaves one set."""
    await conn.execute("delete from utterances where transcript_id = %s", [transcript_id])
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into utterances (transcript_id, n, leg, start_ms, end_ms, text, words)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [(transcript_id, u.n, u.leg, u.start_ms, u.end_ms, u.text, Jsonb(u.words)) for u in utterances],
        )


async def get(conn: Connection, transcript_id: UUID) -> Transcript:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Transcript)) as cursor:
        await cursor.execute(f"select {_TRANSCRIPT} from transcripts where id = %s", [transcript_id])
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such transcript.")


async def of_call(conn: Connection, call_id: UUID) -> Transcript | None:
    """The call's latest transcript."""
    async with conn.cursor(row_factory=class_row(Transcript)) as cursor:
        await cursor.execute(
            f"select {_TRANSCRIPT} from transcripts where call_id = %s order by created_at desc, id limit 1",
            [call_id],
        )
        return await cursor.fetchone()


async def in_state(conn: Connection, state: TranscriptState, *, limit: int = 100) -> list[Transcript]:
    """Oldest first."""
    async with conn.cursor(row_factory=class_row(Transcript)) as cursor:
        await cursor.execute(
            f"select {_TRANSCRIPT} from transcripts where state = %s order by created_at, id limit %s",
            [state, limit],
        )
        return await cursor.fetchall()


async def utterances(conn: Connection, transcript_id: UUID) -> list[Utterance]:
    """In the order in which they were spoken."""
    async with conn.cursor(row_factory=class_row(Utterance)) as cursor:
        await cursor.execute(
            "select n, leg, start_ms, end_ms, text, words from utterances"
            " where transcript_id = %s order by start_ms, n",
            [transcript_id],
        )
        return await cursor.fetchall()


async def search(conn: Connection, call_id: UUID, query: str) -> list[Utterance]:
    """Utterances of one call that hold all words of `query`, as stems or as beginnings of words.

    The case of letters does not matter; å, ä and ö are letters of their own.
    """
    words = re.findall(r"\w+", query)
    if not words:
        return []
    async with conn.cursor(row_factory=class_row(Utterance)) as cursor:
        await cursor.execute(
            "select n, leg, start_ms, end_ms, u.text, words from utterances u"
            " join transcripts t on t.id = u.transcript_id"
            " where t.call_id = %s and u.search @@ to_tsquery('swedish', %s)"
            " order by start_ms, n",
            [call_id, " & ".join(f"{word}:*" for word in words)],
        )
        return await cursor.fetchall()
