"""Tokens that let one client join one leg of one call, once, within two minutes.

JWT (RFC 7519) signed with Ed25519: the web process holds the private key and issues, a media node
holds the public key alone and verifies. Times come in from a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callsvc.ids import new_id
from callsvc.telephony.errors import TokenRefused
from callsvc.types import Leg, Profile

ISSUER = "callsvc.web"
AUDIENCE = "callsvc.media"
LIFETIME = timedelta(seconds=120)
LEEWAY = timedelta(seconds=5)
"""How far the clocks of two hosts may lie apart."""
MAX_TOKEN_CHARS = 2048


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who may join which leg of which call, under which line profile."""

    call: str
    leg: Leg
    profile: Profile
    subject: str
    """The id of the person or service; never a name or a number."""
    token: str
    """The token's own id: one token joins once."""
    expires: datetime
    demonstration: bool = False
    """The call is a demonstration: its operator's raw microphone may be kept for comparison."""
    node: str = ""
    """The one media node that it is good at; empty: any, for nobody knows yet where the call will be."""

    def expired(self, now: datetime) -> bool:
        """Whether it is too late to join with it."""
        return now > self.expires + LEEWAY


def issue(
    key: Ed25519PrivateKey,
    now: datetime,
    *,
    call: str,
    leg: Leg,
    profile: Profile,
    subject: str,
    demonstration: bool = False,
    node: str = "",
) -> str:
    """Make a token for one leg of one call; for one node alone, where it is known which has the call."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "call": call,
        "leg": leg.value,
        "profile": profile.value,
        "sub": subject,
        "jti": str(new_id()),
        "demo": demonstration,
        "node": node,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(claims, key, algorithm="EdDSA")


def verify(key: Ed25519PublicKey, now: datetime, token: str, *, call: str, leg: Leg) -> Claims:
    """Read a token for this leg of this call; raises `TokenRefused` if it is anything else, or has expired."""
    claims = read(key, now, token, call=call, leg=leg)
    if claims.expired(now):
        raise TokenRefused("expired")
    return claims


def read(key: Ed25519PublicKey, now: datetime, token: str, *, call: str, leg: Leg) -> Claims:
    """Read a token for this leg of this call, which may have expired."""
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenRefused("too long")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            audience=AUDIENCE,
            issuer=ISSUER,
            # Time is checked below, by the clock that came in.
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "require": ["exp", "iat", "iss", "aud", "sub", "jti"],
            },
        )
    except jwt.InvalidTokenError as error:
        raise TokenRefused(type(error).__name__) from None
    return _checked(claims, now, call, leg)


def _checked(claims: Mapping[str, Any], now: datetime, call: str, leg: Leg) -> Claims:
    text = ("call", "leg", "profile", "sub", "jti")
    if not all(isinstance(claims.get(name), str) for name in text):
        raise TokenRefused("a claim is missing")
    if claims["call"] != call or claims["leg"] != leg.value:
        raise TokenRefused("made for another call or leg")
    if not (isinstance(claims["exp"], int) and isinstance(claims["iat"], int)):
        raise TokenRefused("a time is no number")
    try:
        expires = datetime.fromtimestamp(claims["exp"], now.tzinfo)
        issued = datetime.fromtimestamp(claims["iat"], now.tzinfo)
    except (OverflowError, ValueError, OSError):
        raise TokenRefused("a time is out of range") from None
    if issued > now + LEEWAY or expires - issued > LIFETIME:
        raise TokenRefused("valid for too long, or not yet")
    try:
        profile = Profile(claims["profile"])
    except ValueError:
        raise TokenRefused("no such line profile") from None
    demonstration, node = claims.get("demo") is True, str(claims.get("node") or "")
    return Claims(call, leg, profile, claims["sub"], claims["jti"], expires, demonstration, node)


class UsedTokens:
    """Remembers which tokens have joined, for as long as they could be tried again."""

    def __init__(self) -> None:
        self._used: dict[str, datetime] = {}

    def check(self, claims: Claims) -> None:
        """Raises `TokenRefused` for a token that has joined before."""
        if claims.token in self._used:
            raise TokenRefused("used before")

    def use(self, claims: Claims, now: datetime) -> None:
        """Use a token up; raises `TokenRefused` the second time."""
        self._used = {token: end for token, end in self._used.items() if end + 2 * LEEWAY > now}
        self.check(claims)
        self._used[claims.token] = claims.expires
