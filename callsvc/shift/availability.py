"""Who is there to answer. A screen says so every few seconds; one that is closed or lost is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from callsvc.shift.offers import Free
from callsvc.shift.queue import GOES_ON, SETS_UP
from callsvc.shift.wrap_up import FORGOTTEN
from callsvc.store import Connection

LAPSES: Final = timedelta(seconds=70)
"""Without a sign of life for this long, nobody sits there; a screen gives one every ten seconds, a hidden one every minute."""


async def come(conn: Connection, person: UUID, *, at: datetime) -> None:
    """The person is free, or still is. Who had lapsed begins anew, at the end of the line."""
    await conn.execute(
        "insert into availability as a (user_id, since, seen_at) values (%(who)s, %(at)s, %(at)s)"
        " on conflict (user_id) do update set seen_at = excluded.seen_at,"
        " since = case when a.seen_at > %(lapsed)s then a.since else excluded.since end",
        {"who": person, "at": at, "lapsed": at - LAPSES},
    )


async def leave(conn: Connection, person: UUID) -> None:
    await conn.execute("delete from availability where user_id = %s", [person])


async def again(conn: Connection, person: UUID, *, at: datetime) -> None:
    """Free again after a call: to the end of the line."""
    await conn.execute("update availability set since = %s where user_id = %s", [at, person])


async def since(conn: Connection, person: UUID, *, at: datetime) -> datetime | None:
    """Since when the person has been available; None when they are not."""
    cursor = await conn.execute(
        "select since from availability where user_id = %s and seen_at > %s", [person, at - LAPSES]
    )
    row = await cursor.fetchone()
    return row["since"] if row else None


async def free(conn: Connection, *, at: datetime) -> list[Free]:
    """All who are available and have neither a call in hand nor one to write up."""
    cursor = await conn.execute(
        "select a.user_id, a.since from availability a join users u on u.id = a.user_id"
        " where a.seen_at > %(lapsed)s and u.disabled_at is null and 'operator' = any(u.roles)"
        f" and not exists (select 1 from calls c where c.answered_by = a.user_id and {GOES_ON})"
        " and not exists (select 1 from calls c left join wrap_ups w on w.call_id = c.id"
        " where c.answered_by = a.user_id and c.state = 'ended' and c.started_at is not null"
        " and c.ended_at > %(forgotten)s and c.created_at > %(long_ago)s and coalesce(w.state, 'open') = 'open')"
        " order by a.since, a.user_id",
        {
            "lapsed": at - LAPSES,
            "dead": at - SETS_UP,
            "forgotten": at - FORGOTTEN,
            "long_ago": at - 2 * FORGOTTEN,
        },
    )
    return [Free(row["user_id"], row["since"]) for row in await cursor.fetchall()]
