"""A question that is put to a passkey: a random challenge, good once, for some minutes, and for whom it was put to."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from callsvc.access.attempts import TooManyAttempts
from callsvc.errors import AccessDenied
from callsvc.store import Connection

GOOD_FOR: Final = timedelta(minutes=5)
OPEN_PER_ADDRESS: Final = 200  # a whole office may sit behind one address, and strangers can ask, too


class Purpose(StrEnum):
    """What the answer is for: one that was given for another purpose is not taken."""

    MAKE = "make"
    ENTER = "enter"
    UNLOCK = "unlock"


class NotAsked(AccessDenied):
    """This was not asked here, was asked too long ago, or has been answered."""

    default_hint = "Begin again."


async def put(conn: Connection, purpose: Purpose, *, holder: str, address: str, at: datetime) -> bytes:
    """A fresh challenge for `holder`, a browser or a session. Raises `TooManyAttempts`."""
    await conn.execute("delete from passkey_questions where put_at < %s", [at - GOOD_FOR])
    cursor = await conn.execute(
        "select count(*) as open from passkey_questions where address = %s", [address]
    )
    row = await cursor.fetchone()
    if row is not None and row["open"] >= OPEN_PER_ADDRESS:
        raise TooManyAttempts
    challenge = secrets.token_bytes(32)
    await conn.execute(
        "insert into passkey_questions (challenge_hash, holder_hash, purpose, address, put_at)"
        " values (%s, %s, %s, %s, %s)",
        [_digest(challenge), _digest(holder.encode()), purpose, address, at],
    )
    return challenge


async def take(conn: Connection, challenge: bytes, purpose: Purpose, *, holder: str, at: datetime) -> None:
    """The question is answered and gone from now on, however the answer turns out. Raises `NotAsked`."""
    cursor = await conn.execute(
        "delete from passkey_questions where challenge_hash = %s and holder_hash = %s and purpose = %s"
        " and put_at >= %s",
        [_digest(challenge), _digest(holder.encode()), purpose, at - GOOD_FOR],
    )
    if cursor.rowcount == 0:
        raise NotAsked


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
