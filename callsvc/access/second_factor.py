"""The second factor of a local account: an authenticator's codes, asked for after the password, or a passkey in their stead.

The secret is kept encrypted: whoever reads the database alone can make no codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callsvc.access import passkeys, totp
from callsvc.errors import AccessDenied, Conflict
from callsvc.store import Connection

_NONCE: Final = 12


class CodeRequired(AccessDenied):
    """The password is right; the code of the authenticator is asked for, too."""

    default_hint = "Open your authenticator and type the six digits."


class PasskeyRequired(AccessDenied):
    """The password is right; the account has a passkey, and no authenticator whose code would do instead."""

    default_hint = "Come in by your passkey. An administrator can remove one that is lost."


class WrongCode(AccessDenied):
    """The code is wrong, or was used already."""

    default_hint = "Wait for the next code and try again. An administrator can remove a lost authenticator."


class Cipher:
    """Encrypts the secrets under the installation's own key."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)

    def seal(self, secret: bytes, person: UUID) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._key.encrypt(nonce, secret, person.bytes)

    def open(self, sealed: bytes, person: UUID) -> bytes:
        """Raises `Conflict` for what another installation has sealed."""
        try:
            return self._key.decrypt(sealed[:_NONCE], sealed[_NONCE:], person.bytes)
        except InvalidTag:
            raise Conflict(
                "The second factor was set up on another installation.",
                hint="Have an administrator remove it, and set it up anew.",
            ) from None


async def is_on(conn: Connection, person: UUID) -> bool:
    cursor = await conn.execute(
        "select 1 from second_factors where user_id = %s and confirmed_at is not null", [person]
    )
    return await cursor.fetchone() is not None


async def begin(conn: Connection, cipher: Cipher, person: UUID) -> bytes:
    """A new secret, which counts once a code of it was given. Raises `Conflict` when one counts already."""
    if await is_on(conn, person):
        raise Conflict("A second factor is set up already.", hint="Remove it first.")
    secret = totp.new_secret()
    await conn.execute(
        "insert into second_factors (user_id, secret) values (%s, %s)"
        " on conflict (user_id) do update set secret = excluded.secret, last_step = 0",
        [person, cipher.seal(secret, person)],
    )
    return secret


async def check(
    conn: Connection, cipher: Cipher | None, person: UUID, given: str | None, *, at: datetime
) -> None:
    """Ask for the code where a second factor is on. Raises `CodeRequired`, `WrongCode`, `PasskeyRequired`."""
    if not await is_on(conn, person):
        if await passkeys.has_any(conn, person):
            raise PasskeyRequired
        return
    if not given or cipher is None:
        raise CodeRequired
    await _use(conn, cipher, person, given, at)


def asks(cipher: Cipher, given: str | None, *, at: datetime) -> Callable[[Connection, UUID], Awaitable[None]]:
    """The same question, to be put once the password is known to be right."""

    async def ask(conn: Connection, person: UUID) -> None:
        await check(conn, cipher, person, given, at=at)

    return ask


async def confirm(conn: Connection, cipher: Cipher, person: UUID, given: str, *, at: datetime) -> None:
    """The first code: from now on one is asked for at each sign-in. Raises `WrongCode`."""
    await _use(conn, cipher, person, given, at)
    await conn.execute(
        "update second_factors set confirmed_at = coalesce(confirmed_at, %s) where user_id = %s", [at, person]
    )


async def _use(conn: Connection, cipher: Cipher, person: UUID, given: str, at: datetime) -> None:
    cursor = await conn.execute(
        "select secret, last_step from second_factors where user_id = %s for update", [person]
    )
    row = await cursor.fetchone()
    if row is None:
        raise WrongCode
    step = totp.matching(cipher.open(row["secret"], person), given, at=at, after=row["last_step"])
    if step is None:
        raise WrongCode
    await conn.execute("update second_factors set last_step = %s where user_id = %s", [step, person])


async def remove(conn: Connection, person: UUID) -> bool:
    """Whether there was one."""
    cursor = await conn.execute("delete from second_factors where user_id = %s", [person])
    return cursor.rowcount > 0
