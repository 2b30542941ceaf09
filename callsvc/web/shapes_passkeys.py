"""Shapes of passkeys. What a device hands over is bytes, and travels as base64url without padding."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from callsvc.access.passkeys import MAX_LABEL
from callsvc.web.shapes import Shape

Bytes = Annotated[str, Field(min_length=1, max_length=16_000, pattern=r"^[A-Za-z0-9_-]+$")]
Way = Annotated[str, Field(pattern=r"^[a-z-]{1,20}$")]


class KnownPasskey(Shape):
    """A passkey, and how its device may be reached."""

    id: str
    transports: list[str]


class PasskeyQuestion(Shape):
    """What a passkey is asked. `allowed`: only these; none: any that the device has for `rp_id`."""

    challenge: str
    rp_id: str
    timeout_ms: int
    allowed: list[KnownPasskey]


class NewPasskeyQuestion(Shape):
    """What a device is given to make a passkey. `algorithms` by COSE number, `known` are those that the person has."""

    challenge: str
    rp_id: str
    timeout_ms: int
    user_id: str
    user_name: str
    display_name: str
    algorithms: list[int]
    known: list[KnownPasskey]


class NewPasskey(Shape):
    """What a device has made, and the name that its owner gives it."""

    label: Annotated[str, Field(min_length=1, max_length=MAX_LABEL)]
    id: Bytes
    client_data: Bytes
    attestation: Bytes
    transports: Annotated[list[Way], Field(max_length=10)]


class PasskeyAnswer(Shape):
    id: Bytes
    client_data: Bytes
    authenticator_data: Bytes
    signature: Bytes
    user_handle: Bytes | None = None


class PasskeyOut(Shape):
    id: UUID
    label: str
    made_at: datetime
    used_at: datetime | None


class PasskeyList(Shape):
    """One's own, the oldest first."""

    passkeys: list[PasskeyOut]
