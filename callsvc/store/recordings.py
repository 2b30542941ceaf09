"""Recordings and their tracks, as the database knows them; the sound itself lies in the spool or the object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.errors import NotFound
from callsvc.store import calls
from callsvc.store.database import Connection
from callsvc.types import RecordingState


@dataclass(frozen=True, slots=True)
class Recording:
    id: UUID
    call_id: UUID
    state: str
    outcome: str | None
    head: str | None
    manifest: dict[str, Any] | None
    location: str | None
    started_at: datetime
    sealed_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrackRow:
    """`samples` at `rate`, from the start of the call; `gaps` as the manifest lists them."""

    name: str
    rate: int
    samples: int
    gaps: list[Any]


_RECORDING = "id, call_id, state, outcome, head, manifest, location, started_at, sealed_at, archived_at"


async def start(conn: Connection, recording_id: UUID, call_id: UUID, *, at: datetime) -> None:
    """A recording has begun; told twice it stays one."""
    await calls.ensure(conn, call_id, at=at)
    await conn.execute(
        "insert into recordings (id, call_id, state, started_at) values (%s, %s, 'recording', %s)"
        " on conflict (id) do nothing",
        [recording_id, call_id, at],
    )


async def tell_head(
    conn: Connection, recording_id: UUID, call_id: UUID, *, records: int, chain: str, at: datetime
) -> None:
    """How far the chain had come while the call ran; what is behind an earlier one is kept out."""
    await start(conn, recording_id, call_id, at=at)
    await conn.execute(
        "update recordings set told_records = %s, told_chain = %s"
        " where id = %s and coalesce(told_records, 0) < %s",
        [records, chain, recording_id, records],
    )


async def seal(
    conn: Connection,
    recording_id: UUID,
    call_id: UUID,
    *,
    outcome: str,
    head: str,
    tracks: Sequence[TrackRow],
    at: datetime,
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """A recording is closed and signed. One that is archived already stays so."""
    await start(conn, recording_id, call_id, at=at)
    await conn.execute(
        "update recordings set state = case when state = 'archived' then state else 'sealed' end,"
        " outcome = %s, head = %s, manifest = coalesce(%s, manifest), sealed_at = %s where id = %s",
        [outcome, head, None if manifest is None else Jsonb(manifest), at, recording_id],
    )
    for track in tracks:
        await conn.execute(
            "insert into tracks (recording_id, name, rate, samples, gaps) values (%s, %s, %s, %s, %s)"
            " on conflict (recording_id, name) do update"
            " set rate = excluded.rate, samples = excluded.samples, gaps = excluded.gaps",
            [recording_id, track.name, track.rate, track.samples, Jsonb(track.gaps)],
        )


def joined(
    tracks: Sequence[TrackRow], before: Sequence[TrackRow], positions: Sequence[int]
) -> list[TrackRow]:
    """The tracks of a recording that continues another one from these positions, with that one's gaps before them."""
    earlier = {track.name: track for track in before}
    found = []
    for track, position in zip(tracks, positions, strict=False):
        gaps = list(track.gaps)
        if track.name in earlier:
            gaps = [
                *_clipped(earlier[track.name].gaps, 0, position),
                *_clipped(gaps, position, track.samples),
            ]
        found.append(TrackRow(track.name, track.rate, track.samples, gaps))
    return found + list(tracks[len(found) :])


def _clipped(gaps: Sequence[Any], first: int, last: int) -> list[dict[str, Any]]:
    cut = [
        (max(int(g["start"]), first), min(int(g["start"]) + int(g["length"]), last), g["cause"]) for g in gaps
    ]
    return [
        {"start": start, "length": end - start, "cause": cause} for start, end, cause in cut if start < end
    ]


async def archive(
    conn: Connection,
    recording_id: UUID,
    *,
    location: str,
    at: datetime,
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """The object store has it, read back and verified; `location` says where."""
    await conn.execute(
        "update recordings set state = 'archived', location = %s, archived_at = %s,"
        " manifest = coalesce(%s, manifest) where id = %s",
        [location, at, None if manifest is None else Jsonb(manifest), recording_id],
    )


async def stamped(conn: Connection, recording_id: UUID, *, at: datetime) -> None:
    """A time-stamping authority's token lies beside it."""
    await conn.execute(
        "update recordings set stamped_at = coalesce(stamped_at, %s) where id = %s", [at, recording_id]
    )


async def unstamped(conn: Connection, *, limit: int = 100) -> list[UUID]:
    """Archived recordings without a token, oldest first."""
    cursor = await conn.execute(
        "select id from recordings where state = 'archived' and stamped_at is null order by archived_at limit %s",
        [limit],
    )
    return [row["id"] for row in await cursor.fetchall()]


async def fail(conn: Connection, recording_id: UUID, *, outcome: str) -> None:
    await conn.execute(
        "update recordings set state = 'failed', outcome = %s where id = %s", [outcome, recording_id]
    )


async def get(conn: Connection, recording_id: UUID) -> Recording:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Recording)) as cursor:
        await cursor.execute(f"select {_RECORDING} from recordings where id = %s", [recording_id])
        if found := await cursor.fetchone():
            return found
    raise NotFound("There is no such recording.")


async def of_call(conn: Connection, call_id: UUID) -> Recording | None:
    """The call's latest recording; None for a call that was not recorded."""
    async with conn.cursor(row_factory=class_row(Recording)) as cursor:
        await cursor.execute(
            f"select {_RECORDING} from recordings where call_id = %s order by started_at desc, id limit 1",
            [call_id],
        )
        return await cursor.fetchone()


async def in_state(conn: Connection, state: RecordingState, *, limit: int = 100) -> list[Recording]:
    """Oldest first."""
    async with conn.cursor(row_factory=class_row(Recording)) as cursor:
        await cursor.execute(
            f"select {_RECORDING} from recordings where state = %s order by started_at, id limit %s",
            [state, limit],
        )
        return await cursor.fetchall()


async def tracks(conn: Connection, recording_id: UUID) -> list[TrackRow]:
    async with conn.cursor(row_factory=class_row(TrackRow)) as cursor:
        await cursor.execute(
            "select name, rate, samples, gaps from tracks where recording_id = %s order by name",
            [recording_id],
        )
        return await cursor.fetchall()
