"""Time-based one-time passwords (RFC 6238): six digits, thirty seconds, SHA-1, as every authenticator speaks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps that a clock may be ahead or behind."""
SECRET_BYTES: Final = 20


def new_secret() -> bytes:
    """160 bits, as RFC 4226 (section 4) recommends."""
    return secrets.token_bytes(SECRET_BYTES)


def code(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(at: datetime) -> int:
    """Which step of time it is (RFC 6238, section 4), counted from 1970."""
    return int(at.timestamp()) // STEP_S


def matching(secret: bytes, given: str, *, at: datetime, after: int) -> int | None:
    """The step whose code was given, near now and later than `after`; None when there is none.

    A code that was used is not good a second time: `after` is the last step that was.
    """
    digits = "".join(given.split())
    now = step_of(at)
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), digits.encode()) and step > after:
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret as it is typed into an authenticator."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, name: str) -> str:
    """The secret as an address that an authenticator opens."""
    label = quote(f"callsvc:{name}")
    return f"otpauth://totp/{label}?secret={shown(secret)}&issuer=callsvc&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
