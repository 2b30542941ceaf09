"""Signing in by the organisation's provider: what is on its way there, and the account of who comes back.

An account of this kind has no password here. Its roles follow from the provider's claims at each sign-in, by the
mapping in the settings; an administrator can close it, and a closed one stays closed whatever the provider says.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from callsvc.access import people, trail
from callsvc.access.openid import Begun, Identity
from callsvc.access.people import COLUMNS, Person
from callsvc.config import OpenIdSettings
from callsvc.errors import AccessDenied, CallsvcError, UsageError
from callsvc.ids import new_id
from callsvc.store import Connection
from callsvc.types import Role

GOOD_FOR: Final = timedelta(minutes=10)
# A path of ours: one slash, then what the screens' addresses are made of.
_BACK: Final = re.compile(r"/(?!/)[A-Za-z0-9/_.%#=-]{0,300}")


class NotBegunHere(AccessDenied):
    """This sign-in was not begun in this browser, is too old, or has been used."""

    default_hint = "Begin again from the sign-in page."


class NoRole(AccessDenied):
    """The provider knows the person, but nothing that it tells gives a role here."""

    default_hint = "Ask whoever looks after the organisation's groups."


class NameTaken(AccessDenied):
    """Another account here has the user name already."""

    default_hint = "Ask an administrator of this service."


class AccountClosed(AccessDenied):
    """The account is closed here."""

    default_hint = "Ask an administrator of this service."


class SomebodyElse(AccessDenied):
    """The screen was locked by another person."""

    default_hint = "They can unlock it, or you can sign out and in."


@dataclass(frozen=True, slots=True)
class Pending:
    """What was kept of a sign-in while the browser was with the provider."""

    nonce: str
    verifier: str
    back: str
    unlocks: UUID | None
    begun_at: datetime


def safe_back(wanted: str) -> str:
    """The page to come back to: one of ours, or the first one."""
    return wanted if _BACK.fullmatch(wanted) and ".." not in wanted else "/"


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def keep(
    conn: Connection, begun: Begun, *, browser: str, back: str, at: datetime, unlocks: UUID | None = None
) -> None:
    """Remember a sign-in that goes to the provider now; `browser` is a secret that only this browser has."""
    await conn.execute("delete from sign_ins where begun_at < %s", [at - GOOD_FOR])
    await conn.execute(
        "insert into sign_ins (state_hash, browser_hash, nonce, verifier, back, unlocks, begun_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [digest(begun.state), digest(browser), begun.nonce, begun.verifier, safe_back(back), unlocks, at],
    )


async def take(conn: Connection, *, state: str, browser: str, at: datetime) -> Pending:
    """What was kept, which is gone from now on. Raises `NotBegunHere`."""
    cursor = await conn.execute(
        "delete from sign_ins where state_hash = %s and browser_hash = %s and begun_at >= %s"
        " returning nonce, verifier, back, unlocks, begun_at",
        [digest(state), digest(browser), at - GOOD_FOR],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotBegunHere
    return Pending(**row)


def roles_of(identity: Identity, settings: OpenIdSettings) -> frozenset[Role]:
    """The roles that the mapping gives. Raises `NoRole`."""
    told = identity.values(settings.roles_claim)
    roles = frozenset(role for value in told for role in settings.roles.get(value, ()))
    if not roles:
        raise NoRole
    return roles


async def account(conn: Connection, identity: Identity, settings: OpenIdSettings, *, at: datetime) -> Person:
    """The person's account with the roles of today, made when there is none yet.

    Raises `NoRole`, `AccountClosed`, and `NameTaken`: nobody comes into another's account by bearing its name.
    """
    roles = sorted(str(role) for role in roles_of(identity, settings))
    cursor = await conn.execute(
        f"select {COLUMNS} from users where issuer = %s and subject = %s for update",
        [identity.issuer, identity.subject],
    )
    row = await cursor.fetchone()
    if row is None:
        return await _make(conn, identity, settings, roles, at)
    known = people.person(row)
    if known.disabled_at is not None:
        raise AccountClosed
    shown = _shown(identity, settings, known.name)
    await conn.execute(
        "update users set roles = %s, display_name = %s, last_login_at = %s where id = %s",
        [roles, shown, at, known.id],
    )
    if sorted(known.roles) != roles:
        before = " ".join(sorted(known.roles))
        await _note(conn, known.id, "user.roles", at, before=before, roles=" ".join(roles))
    return await people.get(conn, known.id)


async def demand_same(conn: Connection, identity: Identity, session: UUID) -> None:
    """Raises `SomebodyElse` when the session is not this person's."""
    cursor = await conn.execute(
        "select 1 from sessions s join users on users.id = s.user_id where s.id = %s and issuer = %s"
        " and subject = %s and disabled_at is null",
        [session, identity.issuer, identity.subject],
    )
    if await cursor.fetchone() is None:
        raise SomebodyElse


async def _make(
    conn: Connection, identity: Identity, settings: OpenIdSettings, roles: list[str], at: datetime
) -> Person:
    told = identity.value(settings.name_claim)
    try:
        name = people.login_name(told if isinstance(told, str) else "")
    except UsageError as error:
        raise CallsvcError(
            "The provider's claim {claim} is no user name.", claim=settings.name_claim
        ) from error
    cursor = await conn.execute(
        "insert into users (id, name, display_name, roles, issuer, subject, created_at, last_login_at)"
        f" values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning {COLUMNS}",
        [
            new_id(),
            name,
            _shown(identity, settings, name),
            roles,
            identity.issuer,
            identity.subject,
            at,
            at,
        ],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NameTaken
    made = people.person(row)
    await _note(conn, made.id, "user.create", at, roles=" ".join(roles), by="openid")
    return made


def _shown(identity: Identity, settings: OpenIdSettings, name: str) -> str:
    told = identity.value(settings.display_claim)
    shown = (
        "".join(letter for letter in told if letter.isprintable()).strip() if isinstance(told, str) else ""
    )
    return shown[:200] or name


async def _note(conn: Connection, person: UUID, action: str, at: datetime, **detail: str) -> None:
    await trail.record(
        conn,
        user_id=None,
        action=action,
        object_kind="user",
        object_id=str(person),
        detail=detail,
        at=at,
    )
