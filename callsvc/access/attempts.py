"""The limit on wrong passwords: per user name, and per address that tries many names."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from callsvc.errors import AccessDenied
from callsvc.store import Connection

WINDOW: Final = timedelta(minutes=15)
PER_NAME: Final = 5
PER_ADDRESS: Final = 50  # a whole office may sit behind one address


class TooManyAttempts(AccessDenied):
    """Too many wrong passwords."""

    default_hint = "Wait a quarter of an hour, or ask an administrator for a new password."

    retry_after_s: int = int(WINDOW.total_seconds())


async def begin(conn: Connection, *, name: str, address: str, at: datetime) -> int:
    """Count an attempt as failed until `succeed`; so attempts that run side by side cannot pass the limit.

    Raises `TooManyAttempts`, which counts nothing: who waits is let in again.
    """
    digest = hashlib.sha256(name.strip().lower().encode()).digest()
    since = at - WINDOW
    # One at a time per name and per address; released at the end of the transaction.
    await conn.execute("select pg_advisory_xact_lock(hashtextextended(encode(%s, 'hex'), 1))", [digest])
    await conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 2))", [address])
    await conn.execute("delete from login_attempts where at < %s", [since])
    cursor = await conn.execute(
        "select count(*) filter (where name_digest = %s and id > coalesce((select max(id) from login_attempts"
        " where name_digest = %s and succeeded), 0)) as by_name,"
        " count(*) filter (where address = %s) as by_address"
        " from login_attempts where not succeeded and at >= %s",
        [digest, digest, address, since],
    )
    row = await cursor.fetchone()
    if row is not None and (row["by_name"] >= PER_NAME or row["by_address"] >= PER_ADDRESS):
        raise TooManyAttempts
    cursor = await conn.execute(
        "insert into login_attempts (at, name_digest, address, succeeded) values (%s, %s, %s, false)"
        " returning id",
        [at, digest, address],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row["id"])


async def succeed(conn: Connection, attempt: int) -> None:
    await conn.execute("update login_attempts set succeeded = true where id = %s", [attempt])


async def forgive(conn: Connection, name: str) -> None:
    """Forget the wrong passwords of a name; an administrator has given a new one."""
    digest = hashlib.sha256(name.strip().lower().encode()).digest()
    await conn.execute("delete from login_attempts where name_digest = %s", [digest])
