"""The trail: who did what to what, when and why, as a hash chain in the database.

Each event's hash covers its own fields and the hash before it, so that a changed, removed or inserted event is found
by `verify`. Ids rise by one without a hole. Only what lies after the last event could be cut off unseen; whoever
keeps a `Head` elsewhere and gives it to `verify` finds that too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from callsvc.clock import isoformat
from callsvc.errors import VerificationFailed
from callsvc.store import Connection

GENESIS: Final = bytes(32)
LOCK: Final = 0x545241494C
_VERSION: Final = 1
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """A line of the trail: who did what with which object, when and why. `user_id` is none for the service itself."""

    id: int
    at: datetime
    user_id: UUID | None
    action: str
    object_kind: str
    object_id: str
    call_id: UUID | None
    reason: str
    detail: dict[str, Any]
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends; id 0 for an empty one."""

    id: int
    hash: bytes


_COLUMNS: Final = ", ".join(AccessEvent.__dataclass_fields__)


async def record(
    conn: Connection,
    *,
    user_id: UUID | None,
    action: str,
    object_kind: str,
    object_id: str,
    at: datetime,
    call_id: UUID | None = None,
    reason: str = "",
    detail: Mapping[str, str | int | bool | None] | None = None,
) -> AccessEvent:
    """Append an event in the caller's transaction; other writers wait until it ends."""
    (event,) = await record_each(
        conn,
        [call_id],
        user_id=user_id,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        at=at,
        reason=reason,
        detail=detail,
    )
    return event


async def record_each(
    conn: Connection,
    calls: Sequence[UUID | None],
    *,
    user_id: UUID | None,
    action: str,
    object_kind: str,
    object_id: str,
    at: datetime,
    reason: str = "",
    detail: Mapping[str, str | int | bool | None] | None = None,
) -> list[AccessEvent]:
    """The same event for each of these calls, at once."""
    await conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    last = await head(conn)
    at = at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)
    fields = dict(detail or {})
    events = []
    for call_id in calls:
        unsealed = AccessEvent(
            last.id + 1, at, user_id, action, object_kind, object_id, call_id, reason, fields, last.hash, b""
        )
        event = replace(unsealed, hash=_hash(unsealed))
        events.append(event)
        last = Head(event.id, event.hash)
    async with conn.cursor() as cursor:
        await cursor.executemany(
            f"insert into access_events ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    event.id,
                    event.at,
                    event.user_id,
                    event.action,
                    event.object_kind,
                    event.object_id,
                    event.call_id,
                    event.reason,
                    Jsonb(event.detail),
                    event.prev_hash,
                    event.hash,
                )
                for event in events
            ],
        )
    return events


async def head(conn: Connection) -> Head:
    """Where the chain ends now."""
    cursor = await conn.execute("select id, hash from access_events order by id desc limit 1")
    row = await cursor.fetchone()
    return Head(0, GENESIS) if row is None else Head(row["id"], bytes(row["hash"]))


async def actions(conn: Connection) -> list[str]:
    """What has ever been done, by its name."""
    cursor = await conn.execute("select distinct action from access_events order by action")
    return [row["action"] for row in await cursor.fetchall()]


async def events(
    conn: Connection,
    *,
    call_id: UUID | None = None,
    user_id: UUID | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AccessEvent]:
    """Newest first; `before` pages on from the last one's id."""
    async with conn.cursor(row_factory=class_row(AccessEvent)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from access_events where (%(call)s::uuid is null or call_id = %(call)s)"
            " and (%(user)s::uuid is null or user_id = %(user)s)"
            " and (%(action)s::text is null or action = %(action)s)"
            " and (%(since)s::timestamptz is null or at >= %(since)s)"
            " and (%(until)s::timestamptz is null or at < %(until)s)"
            " and (%(before)s::bigint is null or id < %(before)s) order by id desc limit %(limit)s",
            {
                "call": call_id,
                "user": user_id,
                "action": action,
                "since": since,
                "until": until,
                "before": before,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def verify(conn: Connection, *, known: Head | None = None) -> Head:
    """Recompute the whole chain and return its head.

    `known` is a head that was kept elsewhere: it must lie on the chain. Raises `VerificationFailed` that names the
    first event that is wrong.
    """
    last = Head(0, GENESIS)
    seen = known is None or known.id == 0
    while True:
        async with conn.cursor(row_factory=class_row(AccessEvent)) as cursor:
            await cursor.execute(
                f"select {_COLUMNS} from access_events where id > %s order by id limit %s", [last.id, _PAGE]
            )
            page: Sequence[AccessEvent] = await cursor.fetchall()
        for event in page:
            if event.id != last.id + 1:
                raise VerificationFailed("Access event {event} is missing.", event=last.id + 1)
            if event.prev_hash != last.hash:
                raise VerificationFailed(
                    "Access event {event} does not follow event {last}.", event=event.id, last=last.id
                )
            if event.hash != _hash(event):
                raise VerificationFailed("Access event {event} is not what was written.", event=event.id)
            last = Head(event.id, event.hash)
            if known is not None and known.id == event.id:
                if known.hash != event.hash:
                    raise VerificationFailed(
                        "Access event {event} is not the one that was known.", event=event.id
                    )
                seen = True
        if len(page) < _PAGE:
            break
    if not seen and known is not None:
        raise VerificationFailed(
            "The trail ends at event {event}; event {known} is known to have been.",
            event=last.id,
            known=known.id,
        )
    return last


def _hash(event: AccessEvent) -> bytes:
    """SHA-256 over the canonical JSON of all but its own hash: keys sorted, no spaces, UTF-8."""
    body = {
        "v": _VERSION,
        "id": event.id,
        "at": isoformat(event.at),
        "user": None if event.user_id is None else str(event.user_id),
        "action": event.action,
        "object": [event.object_kind, event.object_id],
        "call": None if event.call_id is None else str(event.call_id),
        "reason": event.reason,
        "detail": event.detail,
        "prev": event.prev_hash.hex(),
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).digest()
