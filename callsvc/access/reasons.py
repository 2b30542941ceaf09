"""A session opens a call with a reason; every read under it is written to the trail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from callsvc.access import trail
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import AccessDenied, ReasonRequired, UsageError
from callsvc.store import Connection, calls

MIN_LENGTH: Final = 5
MAX_LENGTH: Final = 500


async def open_call(conn: Connection, session: Session, call_id: UUID, reason: str, *, at: datetime) -> None:
    """Open a call for this session, and say so in the trail. A new reason takes the place of an earlier one.

    Raises `AccessDenied`, `NotFound`, `UsageError` for a reason that says nothing.
    """
    await _demand(conn, session, Action.CALL_OPEN, call_id)
    reason = " ".join(reason.split())
    if (
        not MIN_LENGTH <= len(reason) <= MAX_LENGTH
        or not reason.isprintable()
        or not any(c.isalpha() for c in reason)
    ):
        raise UsageError(
            "A reason has {least} to {most} characters, in words.",
            least=MIN_LENGTH,
            most=MAX_LENGTH,
        )
    await calls.get(conn, call_id)
    await conn.execute(
        "insert into opened_calls (session_id, call_id, reason, opened_at) values (%s, %s, %s, %s)"
        " on conflict (session_id, call_id) do update"
        " set reason = excluded.reason, opened_at = excluded.opened_at",
        [session.id, call_id, reason, at],
    )
    await trail.record(
        conn,
        user_id=session.person.id,
        action=Action.CALL_OPEN,
        object_kind="call",
        object_id=str(call_id),
        call_id=call_id,
        reason=reason,
        at=at,
    )


async def reason_for(conn: Connection, session: Session, call_id: UUID) -> str | None:
    """The reason under which this session has the call open, if it has."""
    cursor = await conn.execute(
        "select reason from opened_calls where session_id = %s and call_id = %s", [session.id, call_id]
    )
    row = await cursor.fetchone()
    return None if row is None else str(row["reason"])


async def opened(conn: Connection, session: Session, calls_: Collection[UUID]) -> frozenset[UUID]:
    """Which of these calls this session has open."""
    cursor = await conn.execute(
        "select call_id from opened_calls where session_id = %s and call_id = any(%s)",
        [session.id, list(calls_)],
    )
    return frozenset(row["call_id"] for row in await cursor.fetchall())


async def last_for_case(conn: Connection, session: Session, call_id: UUID) -> str | None:
    """The reason under which this session opened another call of the same case last."""
    cursor = await conn.execute(
        "select o.reason from wrap_ups mine join wrap_ups w on w.case_number = mine.case_number"
        " join opened_calls o on o.call_id = w.call_id and o.session_id = %s"
        " where mine.call_id = %s order by o.opened_at desc limit 1",
        [session.id, call_id],
    )
    row = await cursor.fetchone()
    return None if row is None else str(row["reason"])


async def read(
    conn: Connection,
    session: Session,
    call_id: UUID,
    action: Action,
    *,
    object_kind: str,
    object_id: str,
    at: datetime,
    detail: dict[str, str | int | bool | None] | None = None,
) -> None:
    """Ask leave to read something of a call, and write that it was read, in one transaction.

    Raises `AccessDenied` when the role does not allow it, `ReasonRequired` when the session has not opened the call.
    Hand nothing out before the transaction has committed.
    """
    await _demand(conn, session, action, call_id)
    reason = await reason_for(conn, session, call_id)
    if reason is None:
        raise ReasonRequired(hint="Say why you need to read this call.")
    await trail.record(
        conn,
        user_id=session.person.id,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        call_id=call_id,
        reason=reason,
        detail=detail,
        at=at,
    )


async def _demand(conn: Connection, session: Session, action: Action, call_id: UUID) -> None:
    if session.person.must_change_password:
        raise AccessDenied("The password must be changed first.", hint="Change your password.")
    await demand_call(conn, session.person, action, call_id)
