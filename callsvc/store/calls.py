"""Calls and their legs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from callsvc.errors import NotFound
from callsvc.store.database import Connection
from callsvc.types import CallState, Leg, Profile


@dataclass(frozen=True, slots=True)
class Call:
    id: UUID
    profile: str
    state: str
    demo: bool
    node: str | None
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    length_ms: int | None
    cause: str | None
    degraded: str | None


@dataclass(frozen=True, slots=True)
class CallLeg:
    call_id: UUID
    leg: str
    transport: str
    codec: str
    joined_at: datetime | None
    left_at: datetime | None
    cause: str | None


_CALL = (
    "id, profile, state, demo, node, created_by, created_at, started_at, ended_at, length_ms, cause, degraded"
)


async def create(
    conn: Connection,
    call_id: UUID,
    profile: Profile,
    *,
    at: datetime,
    created_by: UUID | None = None,
    demo: bool = False,
) -> None:
    """A call that is being set up: tokens are out, nobody has joined yet."""
    await conn.execute(
        "insert into calls (id, profile, state, demo, created_by, created_at)"
        " values (%s, %s, 'setting_up', %s, %s, %s)",
        [call_id, profile, demo, created_by, at],
    )


async def ensure(
    conn: Connection, call_id: UUID, *, at: datetime, profile: Profile = Profile.ANONYMOUS
) -> None:
    """A row for a call that the media node speaks of and that nobody here had heard of.

    Until its profile is told it has the one that keeps the least.
    """
    await conn.execute(
        "insert into calls (id, profile, state, created_at) values (%s, %s, 'setting_up', %s)"
        " on conflict (id) do nothing",
        [call_id, profile, at],
    )


async def start(conn: Connection, call_id: UUID, *, profile: Profile, node: str, at: datetime) -> None:
    """Both legs are in; the media clock stands at 0. A call that has ended stays ended."""
    await ensure(conn, call_id, at=at)
    await conn.execute(
        "update calls set profile = %s, node = %s, started_at = coalesce(started_at, %s),"
        " state = case when state = 'ended' then state else 'live' end where id = %s",
        [profile, node, at, call_id],
    )


async def stands_at(conn: Connection, call_id: UUID, node: str) -> None:
    """The node that a leg has joined has the call: there it is to be answered."""
    await conn.execute("update calls set node = %s where id = %s and node is null", [node, call_id])


async def came_in_on(conn: Connection, call_id: UUID, line: str, *, at: datetime) -> None:
    """The line, by its id, whose number was called."""
    await ensure(conn, call_id, at=at)
    await conn.execute("update calls set line = %s where id = %s", [line, call_id])


async def end(conn: Connection, call_id: UUID, *, cause: str, length_ms: int, at: datetime) -> None:
    await ensure(conn, call_id, at=at)
    await conn.execute(
        "update calls set state = 'ended', cause = %s, length_ms = %s, ended_at = %s where id = %s",
        [cause, length_ms, at, call_id],
    )


async def restore(
    conn: Connection,
    call_id: UUID,
    *,
    profile: Profile,
    node: str,
    started_at: datetime,
    length_ms: int,
    cause: str,
) -> None:
    """Write down a call that is over, by what its recordings say. A call that more is known of stays as it is."""
    await conn.execute(
        "insert into calls (id, profile, state, node, created_at, started_at, ended_at, length_ms, cause)"
        " values (%(id)s, %(profile)s, 'ended', %(node)s, %(at)s, %(at)s, %(end)s, %(length)s, %(cause)s)"
        " on conflict (id) do update set profile = excluded.profile, state = 'ended', node = excluded.node,"
        " created_at = excluded.created_at, started_at = excluded.started_at, ended_at = excluded.ended_at,"
        " length_ms = excluded.length_ms, cause = excluded.cause where calls.state = 'setting_up'",
        {
            "id": call_id,
            "profile": profile,
            "node": node,
            "at": started_at,
            "end": started_at + timedelta(milliseconds=length_ms),
            "length": length_ms,
            "cause": cause,
        },
    )


async def degrade(conn: Connection, call_id: UUID, what: str, *, at: datetime) -> None:
    """Note what ran with less than all its parts; what was noted before stays first."""
    await ensure(conn, call_id, at=at)
    await conn.execute(
        "update calls set degraded = case when degraded is null then %(what)s"
        " when %(what)s = any(string_to_array(degraded, ', ')) then degraded"
        " else degraded || ', ' || %(what)s end where id = %(id)s",
        {"what": what, "id": call_id},
    )


async def get(conn: Connection, call_id: UUID) -> Call:
    """Raises `NotFound`."""
    async with conn.cursor(row_factory=class_row(Call)) as cursor:
        await cursor.execute(f"select {_CALL} from calls where id = %s", [call_id])
        if call := await cursor.fetchone():
            return call
    raise NotFound("There is no such call.")


async def listing(
    conn: Connection,
    states: Collection[CallState],
    *,
    limit: int = 50,
    before: datetime | None = None,
) -> list[Call]:
    """Calls in any of `states`, newest first; `before` pages on from the last one's `created_at`."""
    async with conn.cursor(row_factory=class_row(Call)) as cursor:
        await cursor.execute(
            f"select {_CALL} from calls where state = any(%s)"
            " and (%s::timestamptz is null or created_at < %s) order by created_at desc, id limit %s",
            [[str(state) for state in states], before, before, limit],
        )
        return await cursor.fetchall()


async def leg_joined(
    conn: Connection, call_id: UUID, leg: Leg, *, transport: str, codec: str, at: datetime
) -> None:
    await ensure(conn, call_id, at=at)
    await conn.execute(
        "insert into legs (call_id, leg, transport, codec, joined_at) values (%s, %s, %s, %s, %s)"
        " on conflict (call_id, leg) do update set transport = excluded.transport, codec = excluded.codec,"
        " joined_at = excluded.joined_at, left_at = null, cause = null",
        [call_id, leg, transport, codec, at],
    )


async def leg_left(conn: Connection, call_id: UUID, leg: Leg, *, cause: str, at: datetime) -> None:
    await ensure(conn, call_id, at=at)
    await conn.execute(
        "insert into legs (call_id, leg, left_at, cause) values (%s, %s, %s, %s)"
        " on conflict (call_id, leg) do update set left_at = excluded.left_at, cause = excluded.cause",
        [call_id, leg, at, cause],
    )


async def legs(conn: Connection, call_id: UUID) -> list[CallLeg]:
    async with conn.cursor(row_factory=class_row(CallLeg)) as cursor:
        await cursor.execute(
            "select call_id, leg, transport, codec, joined_at, left_at, cause from legs"
            " where call_id = %s order by leg",
            [call_id],
        )
        return await cursor.fetchall()
