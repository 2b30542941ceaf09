"""The first administrator: made when there is none, with a one-time password that must be changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from callsvc.access import attempts, passwords, people
from callsvc.locale import text
from callsvc.store import Connection
from callsvc.types import Role

NAME: Final = "admin"


@dataclass(frozen=True, slots=True)
class OneTime:
    """What to show once to the person at the terminal; kept nowhere."""

    name: str
    password: str


async def administrator(conn: Connection, *, at: datetime) -> OneTime | None:
    """The name and one-time password of the first administrator, or None when there is one who has chosen a password.

    As long as the one-time password has not been changed a new one is given each time: nobody could know the old one
    but from a terminal that has scrolled away.
    """
    await conn.execute("lock table users in share row exclusive mode")
    cursor = await conn.execute(
        "select id, name, must_change_password from users where 'admin' = any(roles) order by created_at, id"
    )
    found = await cursor.fetchall()
    password = passwords.one_time()
    if not found:
        await people.create(
            conn,
            name=NAME,
            display_name=text("access.first_administrator"),
            roles=[Role.ADMIN, Role.OPERATOR, Role.INVESTIGATOR, Role.QA],
            password=password,
            at=at,
            must_change_password=True,
        )
        return OneTime(NAME, password)
    if len(found) > 1 or not found[0]["must_change_password"]:
        return None
    await people.set_password(conn, found[0]["id"], password, must_change_password=True)
    await attempts.forgive(conn, found[0]["name"])
    return OneTime(found[0]["name"], password)
