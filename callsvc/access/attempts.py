"""The limit on wrong passwords: of a user name from one address, of a user name, and of an address."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from callsvc.errors import AccessDenied
from callsvc.store import Connection

WINDOW: Final = timedelta(minutes=15)
PER_NAME_AND_ADDRESS: Final = 5
PER_NAME: Final = 20  # from wherever; so one stranger alone does not shut somebody out
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
    # Those of the future, too: a clock that was set back is to keep nobody out until it has come there again.
    await conn.execute("delete from login_attempts where at < %s or at > %s", [since, at + WINDOW])
    cursor = await conn.execute(
        "with failed as (select name_digest = %(name)s and id > coalesce((select max(id) from login_attempts"
        " where name_digest = %(name)s and succeeded), 0) as of_name, address = %(address)s as of_address"
        " from login_attempts where not succeeded and at >= %(since)s)"
        " select count(*) filter (where of_name and of_address) as both, count(*) filter (where of_name) as name,"
        " count(*) filter (where of_address) as address from failed",
        {"name": digest, "address": address, "since": since},
    )
    row = await cursor.fetchone()
    if row is not None and (
        row["both"] >= PER_NAME_AND_ADDRESS or row["name"] >= PER_NAME or row["address"] >= PER_ADDRESS
    ):
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
    """The attempt was by the right one: it counts no more, and neither do the wrong ones with that name before it."""
    await conn.execute("update login_attempts set succeeded = true where id = %s", [attempt])


async def forgive(conn: Connection, name: str) -> None:
    """Forget the wrong passwords of a name; an administrator has given a new one."""
    digest = hashlib.sha256(name.strip().lower().encode()).digest()
    await conn.execute("delete from login_attempts where name_digest = %s", [digest])
