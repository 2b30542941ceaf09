"""Transcripts, their pieces and utterances: what the machine heard, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """`progress` runs from 0 to 1; `options` are those that the recogniser was given."""

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
    options: dict[str, Any]
    started_at: datetime | None
    expected_at: datetime | None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Times from the start of the call; `words` is a list of {"start_ms", "end_ms", "text", "probability"}.

    A word that no speech carries has "unsure" too, one whose times are a guess "estimated". `kind` is `speech`,
    `crosstalk` or `unknown_language`. `corrected` is the text in force above the machine's, and `version` its number.
    """

    n: int
    leg: str
    start_ms: int
    end_ms: int
    text: str
    words: list[Any]
    kind: str = "speech"
    language: str = ""
    corrected: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class PieceRow:
    """What was heard between two pauses; words as the recogniser's side writes them."""

    leg: str
    start_ms: int
    end_ms: int
    language: str | None
    likely: str
    words: list[Any]


_TRANSCRIPT = ", ".join(Transcript.__dataclass_fields__)
_UTTERANCE = ", ".join(Utterance.__dataclass_fields__)
_OPEN = (TranscriptState.QUEUED, TranscriptState.WAITING_MODEL, TranscriptState.RUNNING)
# Written out in a query, it lets the database use the index of those that are not finished.
UNFINISHED = "state in ('queued', 'waiting_model', 'running')"


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
    options: Mapping[str, Any] | None = None,
    started_at: datetime | None = None,
    error: str | None = None,
) -> None:
    """What is None stays as it was, but `error`, which belongs to the state. `at` is when a final state was reached."""
    final = state in (TranscriptState.DONE, TranscriptState.FAILED)
    await conn.execute(
        "update transcripts set state = %s, progress = coalesce(%s, progress), model = coalesce(%s, model),"
        " model_sha256 = coalesce(%s, model_sha256), options = coalesce(%s, options),"
        " started_at = coalesce(%s, started_at), expected_at = null, error = %s, finished_at = %s where id = %s",
        [
            state,
            progress,
            model,
            model_sha256,
            None if options is None else Jsonb(dict(options)),
            started_at,
            error,
            at if final else None,
            transcript_id,
        ],
    )


async def set_progress(
    conn: Connection, transcript_id: UUID, progress: float, *, expected_at: datetime | None = None
) -> None:
    await conn.execute(
        "update transcripts set progress = %s, expected_at = %s where id = %s",
        [progress, expected_at, transcript_id],
    )


async def keep_piece(conn: Connection, transcript_id: UUID, piece: PieceRow, *, at: datetime) -> None:
    """Keep what was heard in a piece; a piece that is there already stays as it is."""
    await conn.execute(
        "insert into transcript_pieces (transcript_id, leg, start_ms, end_ms, language, likely, words, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [
            transcript_id,
            piece.leg,
            piece.start_ms,
            piece.end_ms,
            piece.language,
            piece.likely,
            Jsonb(piece.words),
            at,
        ],
    )


async def pieces(conn: Connection, transcript_id: UUID) -> list[PieceRow]:
    """In the order of their legs and times."""
    async with conn.cursor(row_factory=class_row(PieceRow)) as cursor:
        await cursor.execute(
            "select leg, start_ms, end_ms, language, likely, words from transcript_pieces"
            " where transcript_id = %s order by leg, start_ms",
            [transcript_id],
        )
        return await cursor.fetchall()


async def drop_pieces(conn: Connection, transcript_id: UUID) -> None:
    """They served their turn, or were heard by another model."""
    await conn.execute("delete from transcript_pieces where transcript_id = %s", [transcript_id])


async def fail_lost(conn: Connection, *, task: str, reason: str, at: datetime) -> list[UUID]:
    """Transcripts that count as under way while no job of the kind `task` will ever work on them: now failed."""
    cursor = await conn.execute(
        "update transcripts t set state = 'failed', error = %(reason)s, finished_at = %(at)s"
        f" where {UNFINISHED} and state <> 'waiting_model' and not exists (select 1 from procrastinate_jobs j"
        " where j.task_name = %(task)s and j.status in ('todo', 'doing')"
        " and j.args->>'call' = t.call_id::text) returning call_id",
        {"reason": reason, "at": at, "task": task},
    )
    return [row["call_id"] for row in await cursor.fetchall()]


async def replace_utterances(conn: Connection, transcript_id: UUID, utterances: Sequence[Utterance]) -> None:
    """All utterances at once, so that a job that runs twice leaves one set."""
    await conn.execute("delete from utterances where transcript_id = %s", [transcript_id])
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into utterances (transcript_id, n, leg, start_ms, end_ms, text, words, kind, language)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (transcript_id, u.n, u.leg, u.start_ms, u.end_ms, u.text, Jsonb(u.words), u.kind, u.language)
                for u in utterances
            ],
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
            f"select {_TRANSCRIPT} from transcripts where state = %s"
            f"{f' and {UNFINISHED}' if state in _OPEN else ''} order by created_at, id limit %s",
            [state, limit],
        )
        return await cursor.fetchall()


async def utterances(
    conn: Connection, transcript_id: UUID, *, first: int = 0, count: int | None = None
) -> list[Utterance]:
    """In the order in which they were spoken; `count` of them from the place `first` on."""
    async with conn.cursor(row_factory=class_row(Utterance)) as cursor:
        await cursor.execute(
            f"select {_UTTERANCE} from utterances where transcript_id = %s order by start_ms, n"
            " limit %s offset %s",
            [transcript_id, count, first],
        )
        return await cursor.fetchall()


async def verified(conn: Connection, transcript_id: UUID) -> bool:
    """Whether a person has been over everything that was said in it."""
    cursor = await conn.execute(
        "select coalesce(bool_and(corrected is not null), false) as yes from utterances"
        " where transcript_id = %s and kind = 'speech'",
        [transcript_id],
    )
    row = await cursor.fetchone()
    return row is not None and bool(row["yes"])


async def utterance(conn: Connection, transcript_id: UUID, n: int) -> Utterance:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Utterance)) as cursor:
        await cursor.execute(
            f"select {_UTTERANCE} from utterances where transcript_id = %s and n = %s", [transcript_id, n]
        )
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such utterance.")
