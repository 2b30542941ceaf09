"""Sign in, stay signed in, sign out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from callsvc.access import attempts, passkeys, passwords, people, second_factor
from callsvc.access.people import COLUMNS, Person, person
from callsvc.access.second_factor import Cipher
from callsvc.errors import AccessDenied, NotFound
from callsvc.ids import new_id
from callsvc.store import Connection, Database

LIFETIME: Final = timedelta(hours=12)  # a shift and a little more
AHEAD: Final = timedelta(minutes=5)
"""How far the clocks of two hosts may lie apart. What was opened later than that was opened under a clock that has been
set back since: its end would come too late."""
IDLE: Final = timedelta(hours=2)
SEEN_EVERY: Final = timedelta(minutes=1)


class WrongPassword(AccessDenied):
    """The user name or the password is wrong."""

    default_hint = "Check both and try again. An administrator can give you a new password."


class NotSignedIn(AccessDenied):
    """You are not signed in, or your session has ended."""

    default_hint = "Sign in."


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in. `id` is no secret; the token is."""

    id: UUID
    person: Person
    created_at: datetime
    expires_at: datetime
    active_at: datetime
    """When somebody last touched key or pointer."""
    locked_at: datetime | None = None
    code: bool = False
    """Whether the person has an authenticator."""
    passkey: bool = False


async def sign_in(
    database: Database,
    *,
    name: str,
    password: str,
    address: str,
    at: datetime,
    browser: str = "",
    code: str | None = None,
    cipher: Cipher | None = None,
) -> tuple[str, Session]:
    """The token for the cookie, and the session. `cipher` opens the secrets of second factors.

    Raises `WrongPassword` (the same for an unknown name, a closed account and a wrong password),
    `TooManyAttempts`, and where a second factor is on `CodeRequired`, `WrongCode` and `PasskeyRequired`. Every attempt is
    counted, and stays counted until one succeeds as a whole.
    """
    async with database.transaction() as conn:
        attempt = await attempts.begin(conn, name=name, address=address, at=at)
        cursor = await conn.execute(
            f"select {COLUMNS}, password_hash from users where name = %s and disabled_at is null",
            [name.strip().lower().replace("\0", "")],
        )
        row = await cursor.fetchone()
    if not await passwords.matches(row["password_hash"] if row else None, password) or row is None:
        raise WrongPassword
    async with database.transaction() as conn:
        await second_factor.check(conn, cipher, row["id"], code, at=at)
        await attempts.succeed(conn, attempt)
        await conn.execute("update users set last_login_at = %s where id = %s", [at, row["id"]])
        return await open_for(conn, person(row), at=at, address=address, browser=browser)


async def open_for(
    conn: Connection, who: Person, *, at: datetime, address: str, browser: str
) -> tuple[str, Session]:
    """A fresh session of somebody who has shown who they are: the token for the cookie, and the session."""
    token = secrets.token_urlsafe(32)
    session = Session(
        id=new_id(),
        person=who,
        created_at=at,
        expires_at=at + LIFETIME,
        active_at=at,
        code=await second_factor.is_on(conn, who.id),
        passkey=await passkeys.has_any(conn, who.id),
    )
    await conn.execute("delete from sessions where expires_at <= %s", [at])
    await conn.execute(
        "insert into sessions (id, token_hash, user_id, created_at, seen_at, expires_at, address, browser)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [session.id, _digest(token), who.id, at, at, session.expires_at, address[:100], browser[:200]],
    )
    return token, session


async def find(conn: Connection, token: str, *, at: datetime, touch: bool = True) -> Session:
    """The session of a cookie's token. Raises `NotSignedIn` when there is none, or it is too old or too idle.

    `touch=False` is for what no person did: it does not keep an idle session alive.
    """
    cursor = await conn.execute(
        f"select {COLUMNS}, s.id as session_id, s.created_at as session_created_at, s.expires_at, s.seen_at,"
        " coalesce(s.active_at, s.created_at) as active_at, s.locked_at,"
        " exists(select 1 from second_factors f where f.user_id = users.id and confirmed_at is not null) as code,"
        " exists(select 1 from passkeys k where k.user_id = users.id) as passkey"
        " from sessions s join users on users.id = s.user_id"
        " where token_hash = %s and s.expires_at > %s and s.seen_at > %s and s.created_at < %s"
        " and disabled_at is null",
        [_digest(token), at, at - IDLE, at + AHEAD],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotSignedIn
    if touch and at - row["seen_at"] > SEEN_EVERY:
        await conn.execute("update sessions set seen_at = %s where id = %s", [at, row["session_id"]])
    return Session(
        id=row["session_id"],
        person=person(row),
        created_at=row["session_created_at"],
        expires_at=row["expires_at"],
        active_at=row["active_at"],
        locked_at=row["locked_at"],
        code=row["code"],
        passkey=row["passkey"],
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """A session as its owner sees it in the list."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str


async def of_person(conn: Connection, person_id: UUID, *, at: datetime) -> list[Opened]:
    """The sessions that are good, the latest first."""
    async with conn.cursor(row_factory=class_row(Opened)) as cursor:
        await cursor.execute(
            "select id, created_at, seen_at, address, browser from sessions"
            " where user_id = %s and expires_at > %s and seen_at > %s order by seen_at desc, created_at desc, id",
            [person_id, at, at - IDLE],
        )
        return await cursor.fetchall()


async def end(conn: Connection, person_id: UUID, session_id: UUID) -> None:
    """End one of the person's own sessions. Raises `NotFound`."""
    cursor = await conn.execute(
        "delete from sessions where id = %s and user_id = %s", [session_id, person_id]
    )
    if cursor.rowcount == 0:
        raise NotFound("There is no such session.")


async def end_others(conn: Connection, session: Session) -> None:
    """End every session of the person but this one."""
    await conn.execute(
        "delete from sessions where user_id = %s and id <> %s", [session.person.id, session.id]
    )


async def sign_out(conn: Connection, session: Session) -> None:
    await conn.execute("delete from sessions where id = %s", [session.id])


async def prove(
    database: Database,
    session: Session,
    password: str,
    *,
    address: str,
    at: datetime,
    besides: Callable[[Connection, UUID], Awaitable[None]] | None = None,
) -> None:
    """Have the person of a session give the password once more, and what `besides` asks.

    Raises `WrongPassword`, `TooManyAttempts`.
    """
    who = session.person
    async with database.transaction() as conn:
        attempt = await attempts.begin(conn, name=who.name, address=address, at=at)
        cursor = await conn.execute("select password_hash from users where id = %s", [who.id])
        row = await cursor.fetchone()
    if row is None or not await passwords.matches(row["password_hash"], password):
        raise WrongPassword("The present password is wrong.")
    async with database.transaction() as conn:
        if besides is not None:
            await besides(conn, who.id)
        await attempts.succeed(conn, attempt)


async def change_password(
    database: Database,
    session: Session,
    *,
    old: str,
    new: str,
    address: str,
    at: datetime,
    browser: str = "",
) -> tuple[str, Session]:
    """A new password, given the old one; every session ends and a fresh one opens, whose token is returned.

    Raises `WrongPassword`, `WeakPassword`, `TooManyAttempts`.
    """
    who = session.person
    await prove(database, session, old, address=address, at=at)
    if new == old:
        raise passwords.WeakPassword("The new password is the old one.")
    async with database.transaction() as conn:
        await people.set_password(conn, who.id, new, must_change_password=False)
        return await open_for(conn, await people.get(conn, who.id), at=at, address=address, browser=browser)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
