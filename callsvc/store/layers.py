"""What people lay above the machine's text: corrections, redacted copies, summaries. Nothing here is ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import Conflict, NotFound
from callsvc.store import transcripts
from callsvc.store.database import Connection


class EditedMeanwhile(Conflict):
    """Somebody else has changed this since it was read."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One correction of one utterance. `corrected` None: back to the machine's text; `undoes`: the edit it takes back."""

    n: int
    version: int
    corrected: str | None
    undoes: int | None
    why: str
    user_id: UUID
    at: datetime


_EDIT = ", ".join(Edit.__dataclass_fields__)


async def correct(
    conn: Connection,
    transcript_id: UUID,
    n: int,
    corrected: str | None,
    *,
    version: int,
    why: str,
    user_id: UUID,
    at: datetime,
    undoes: int | None = None,
) -> int:
    """Lay a text above the utterance that was read at `version`; its new version.

    Raises `NotFound`, and `EditedMeanwhile` when it has another version by now: the other's work stays, and this one
    is to be looked at again.
    """
    cursor = await conn.execute(
        "update utterances set corrected = %s, version = version + 1"
        " where transcript_id = %s and n = %s and version = %s returning version",
        [corrected, transcript_id, n, version],
    )
    row = await cursor.fetchone()
    if row is None:
        await transcripts.utterance(conn, transcript_id, n)
        raise EditedMeanwhile
    await conn.execute(
        "insert into transcript_edits (transcript_id, n, version, corrected, undoes, why, user_id, at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [transcript_id, n, row["version"], corrected, undoes, why, user_id, at],
    )
    return int(row["version"])


async def edits(conn: Connection, transcript_id: UUID, n: int | None = None) -> list[Edit]:
    """All edits of a transcript, or of one utterance, oldest first."""
    async with conn.cursor(row_factory=class_row(Edit)) as cursor:
        await cursor.execute(
            f"select {_EDIT} from transcript_edits where transcript_id = %s"
            " and (%s::integer is null or n = %s) order by at, n, version",
            [transcript_id, n, n],
        )
        return await cursor.fetchall()


async def undo(
    conn: Connection, transcript_id: UUID, n: int, *, version: int, why: str, user_id: UUID, at: datetime
) -> int:
    """Take back the last edit that nobody has taken back yet; that, too, is an edit. Raises `Conflict` when none is left."""
    standing: list[Edit] = []
    for one in sorted(await edits(conn, transcript_id, n), key=lambda edit: edit.version):
        if one.undoes is None:
            standing.append(one)
        elif standing:
            standing.pop()
    if not standing:
        await transcripts.utterance(conn, transcript_id, n)
        raise Conflict("There is nothing to take back.")
    before = standing[-2].corrected if len(standing) > 1 else None
    return await correct(
        conn,
        transcript_id,
        n,
        before,
        version=version,
        why=why,
        user_id=user_id,
        at=at,
        undoes=standing[-1].version,
    )


@dataclass(frozen=True, slots=True)
class Redaction:
    """A redacted copy: where something was taken out, and all that is left, as it was when the copy was made.

    `sha256` covers the stretches and the text, so that a copy that was handed out can be told from any other.
    """

    id: UUID
    transcript_id: UUID
    call_id: UUID
    title: str
    stretches: list[Any]
    utterances: list[Any]
    sha256: str
    user_id: UUID
    at: datetime


_REDACTION = ", ".join(Redaction.__dataclass_fields__)


async def keep_redaction(conn: Connection, made: Redaction) -> None:
    await conn.execute(
        f"insert into redactions ({_REDACTION}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            made.id,
            made.transcript_id,
            made.call_id,
            made.title,
            Jsonb(made.stretches),
            Jsonb(made.utterances),
            made.sha256,
            made.user_id,
            made.at,
        ],
    )


async def redaction(conn: Connection, call_id: UUID, redaction_id: UUID) -> Redaction:
    """A copy of this call. Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Redaction)) as cursor:
        await cursor.execute(
            f"select {_REDACTION} from redactions where id = %s and call_id = %s", [redaction_id, call_id]
        )
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such redacted copy.")


async def redactions(conn: Connection, call_id: UUID) -> Sequence[Redaction]:
    """A call's copies, oldest first."""
    async with conn.cursor(row_factory=class_row(Redaction)) as cursor:
        await cursor.execute(
            f"select {_REDACTION} from redactions where call_id = %s order by at, id", [call_id]
        )
        return await cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Summary:
    """What somebody wrote about a call in their own words."""

    call_id: UUID
    version: int
    body: str
    user_id: UUID
    at: datetime


async def summary(conn: Connection, call_id: UUID) -> Summary | None:
    """The latest one."""
    async with conn.cursor(row_factory=class_row(Summary)) as cursor:
        await cursor.execute(
            "select call_id, version, body, user_id, at from summaries where call_id = %s"
            " order by version desc limit 1",
            [call_id],
        )
        return await cursor.fetchone()


async def summarise(
    conn: Connection, call_id: UUID, body: str, *, version: int, user_id: UUID, at: datetime
) -> int:
    """A new version after `version` (0 for the first). Raises `EditedMeanwhile`."""
    cursor = await conn.execute(
        "insert into summaries (call_id, version, body, user_id, at)"
        " select %(call)s, %(version)s + 1, %(body)s, %(user)s, %(at)s"
        " where coalesce((select max(version) from summaries where call_id = %(call)s), 0) = %(version)s"
        " on conflict do nothing returning version",
        {"call": call_id, "version": version, "body": body, "user": user_id, "at": at},
    )
    row = await cursor.fetchone()
    if row is None:
        raise EditedMeanwhile
    return int(row["version"])
