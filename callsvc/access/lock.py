"""The idle lock: a session that nobody sits before opens nothing until its person has shown who they are again.

The screen locks by itself after the time that the settings name, and says so. Where it did not, for it was frozen, or was
made not to, the session counts as locked a little later all the same. The call in hand goes on: its sound needs no session.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from callsvc.access import second_factor, sessions
from callsvc.access.second_factor import Cipher
from callsvc.access.sessions import Session
from callsvc.errors import AccessDenied
from callsvc.store import Connection, Database

# The screen tells of activity once a minute, and may be slow to tell.
SLACK: Final = timedelta(minutes=2)


class Locked(AccessDenied):
    """The screen is locked."""

    default_hint = "Unlock it with your password."


def is_locked(session: Session, *, after: timedelta, at: datetime) -> bool:
    """Whether the session opens nothing; `after` of zero locks none by itself. Activity that is still to come, under a
    clock that has been set back, is none."""
    idle = bool(after) and not -sessions.AHEAD < at - session.active_at <= after + SLACK
    return idle or session.locked_at is not None


async def active(conn: Connection, session: Session, *, at: datetime) -> None:
    """Somebody sits there."""
    await conn.execute("update sessions set active_at = %s where id = %s", [at, session.id])


async def lock(conn: Connection, session: Session, *, at: datetime) -> None:
    await conn.execute(
        "update sessions set locked_at = coalesce(locked_at, %s) where id = %s", [at, session.id]
    )


async def unlock(
    database: Database,
    session: Session,
    *,
    password: str,
    code: str | None,
    cipher: Cipher,
    address: str,
    at: datetime,
) -> None:
    """Open it by what opened it at first. Raises as `sessions.sign_in` does; a wrong try is counted with those there."""
    await sessions.prove(
        database, session, password, address=address, at=at, besides=second_factor.asks(cipher, code, at=at)
    )
    async with database.transaction() as conn:
        await vouched_for(conn, session.id, at=at)


async def vouched_for(conn: Connection, session_id: UUID, *, at: datetime) -> None:
    """Open it, for the person has been asked who they are."""
    await conn.execute(
        "update sessions set locked_at = null, active_at = %s, seen_at = %s where id = %s",
        [at, at, session_id],
    )
