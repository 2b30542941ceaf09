"""Accounts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from callsvc.access import passwords
from callsvc.access.rights import Action, allowed
from callsvc.errors import Conflict, NotFound, UsageError
from callsvc.ids import new_id
from callsvc.store import Connection
from callsvc.types import Role


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    id: UUID
    name: str
    display_name: str
    roles: tuple[Role, ...]
    must_change_password: bool
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None
    issuer: str | None = None
    """The provider that vouches for the person, who has no password here then."""

    def may(self, action: Action) -> bool:
        """Whether the roles allow it; someone who must change the password first may do nothing else."""
        return not self.must_change_password and allowed(self.roles, action)


COLUMNS = (
    "users.id, name, display_name, roles, must_change_password, users.created_at, last_login_at, disabled_at,"
    " issuer"
)


def person(row: dict[str, Any]) -> Person:
    """A `Person` from a row of `COLUMNS`."""
    return Person(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"],
        roles=tuple(Role(role) for role in row["roles"]),
        must_change_password=row["must_change_password"],
        created_at=row["created_at"],
        last_login_at=row["last_login_at"],
        disabled_at=row["disabled_at"],
        issuer=row["issuer"],
    )


def login_name(text: str) -> str:
    """The name as it is kept: trimmed, lower case. Raises `UsageError` for one that cannot be."""
    name = text.strip().lower()
    if not 1 <= len(name) <= 100 or not all(c.isalnum() or c in "._-@" for c in name):
        raise UsageError("A user name has 1 to 100 letters, digits or . _ - @.")
    return name


async def create(
    conn: Connection,
    *,
    name: str,
    display_name: str,
    roles: Collection[Role],
    password: str,
    at: datetime,
    must_change_password: bool = True,
) -> Person:
    """A new account. Raises `Conflict` when the name is taken, `WeakPassword`, `UsageError`."""
    name = login_name(name)
    passwords.check(password, name=name)
    if not display_name.strip() or len(display_name) > 200 or not display_name.isprintable():
        raise UsageError("A person's name has 1 to 200 characters.")
    password_hash = await passwords.digest(password)
    try:
        async with conn.transaction():
            cursor = await conn.execute(
                "insert into users (id, name, display_name, password_hash, roles, must_change_password, created_at)"
                f" values (%s, %s, %s, %s, %s, %s, %s) returning {COLUMNS}",
                [
                    new_id(),
                    name,
                    display_name.strip(),
                    password_hash,
                    sorted({str(role) for role in roles}),
                    must_change_password,
                    at,
                ],
            )
            row = await cursor.fetchone()
    except UniqueViolation:
        raise Conflict("That user name is taken.", hint="Choose another user name.") from None
    assert row is not None
    return person(row)


async def get(conn: Connection, person_id: UUID) -> Person:
    """Raises `NotFound`."""
    cursor = await conn.execute(f"select {COLUMNS} from users where id = %s", [person_id])
    if row := await cursor.fetchone():
        return person(row)
    raise NotFound("There is no such user.")


async def listing(conn: Connection) -> list[Person]:
    """Everybody, by user name."""
    cursor = await conn.execute(f"select {COLUMNS} from users order by name")
    return [person(row) for row in await cursor.fetchall()]


async def set_roles(conn: Connection, person_id: UUID, roles: Collection[Role]) -> Person:
    """Raises `Conflict` when nobody would be left to administer, `NotFound`."""
    await conn.execute(
        "update users set roles = %s where id = %s", [sorted({str(role) for role in roles}), person_id]
    )
    await _keep_an_administrator(conn)
    return await get(conn, person_id)


async def disable(conn: Connection, person_id: UUID, *, at: datetime) -> Person:
    """Close the account and end its sessions. Raises `Conflict` for the last administrator, `NotFound`."""
    await conn.execute(
        "update users set disabled_at = coalesce(disabled_at, %s) where id = %s", [at, person_id]
    )
    await _keep_an_administrator(conn)
    await conn.execute("delete from sessions where user_id = %s", [person_id])
    return await get(conn, person_id)


async def enable(conn: Connection, person_id: UUID) -> Person:
    """Open a closed account again. Raises `NotFound`."""
    await conn.execute("update users set disabled_at = null where id = %s", [person_id])
    return await get(conn, person_id)


async def set_password(
    conn: Connection, person_id: UUID, password: str, *, must_change_password: bool
) -> None:
    """Ends every session of the person. Raises `WeakPassword`, `NotFound`, `Conflict` where another vouches for them."""
    found = await get(conn, person_id)
    if found.issuer is not None:
        raise Conflict("The person signs in elsewhere.", hint="Passwords are a matter of that provider.")
    passwords.check(password, name=found.name)
    await conn.execute(
        "update users set password_hash = %s, must_change_password = %s where id = %s",
        [await passwords.digest(password), must_change_password, person_id],
    )
    await conn.execute("delete from sessions where user_id = %s", [person_id])


async def _keep_an_administrator(conn: Connection) -> None:
    # The lock makes two administrators who remove each other wait for one another.
    await conn.execute("lock table users in share row exclusive mode")
    cursor = await conn.execute("select 1 from users where 'admin' = any(roles) and disabled_at is null")
    if await cursor.fetchone() is None:
        raise Conflict(
            "This is the last administrator.", hint="Give somebody else the role administrator first."
        )
