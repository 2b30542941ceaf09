"""Passwords: argon2id hashes, what is asked of a new one, and one-time passwords."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callsvc.errors import UsageError

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 200
# Letters and digits that nobody mistakes for each other when read aloud or from a terminal.
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"

# RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# What an unknown name is checked against, so that it takes as long as a known one.
_NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$0dMQSI7YiRbDyHHJTmGU2A$w8g/MAu3U8l7LZIbPhO4eX4hEGx9FX3TJfdQDFBwPWE"
)
# A hash takes 64 MiB and a core: two at once, the rest wait their turn.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="argon2")


class WeakPassword(UsageError):
    """The new password is too short or too easy to guess."""

    default_hint = (
        f"Choose at least {MIN_LENGTH} characters; a few words that do not belong together are good."
    )


def one_time() -> str:
    """A password to be used once and then changed: 4 x 5 characters, 99 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def check(password: str, *, name: str) -> None:
    """Raises `WeakPassword`."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(
            "A password has {least} to {most} characters.",
            least=MIN_LENGTH,
            most=MAX_LENGTH,
        )
    if len(set(password)) < 5 or name.lower() in password.lower():
        raise WeakPassword


async def digest(password: str) -> str:
    """The argon2id hash of `password`, with its salt and parameters."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, _HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; None, for a name that nobody has, takes as long and is False."""
    return await asyncio.get_running_loop().run_in_executor(
        _POOL, _matches, password_hash, password[: MAX_LENGTH + 1]
    )


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
