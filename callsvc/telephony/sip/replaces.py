"""What an INVITE is to take the place of (RFC 3891): a dialog by its names, as the one who reads them has them.

    operator ──dialog 1── us ──dialog 2── third          caller ──INVITE, Replaces: 1──► us ──INVITE, Replaces: 2──► third

A call has a dialog on each side of us, each with names of its own. Who is transferred knows that of the side on which the
transfer was asked for; the third knows the other's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

REFERRED = re.compile(r"<(sips?:)((?:[^@?>]*@)?)([^?>]*)\?([^>]*)>")
"""A Refer-To with headers for the request that is to be made: scheme, user, host with what follows, headers."""


@dataclass(frozen=True, slots=True)
class Replaces:
    """A dialog. `to_tag` is that of the one who reads it."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    def __str__(self) -> str:
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"


def read(text: str) -> Replaces | None:
    """What a header says, or None when it names no dialog."""
    call_id, *parts = (part.strip() for part in text.split(";"))
    values = {
        name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in parts)
    }
    to_tag, from_tag = values.get("to-tag", ""), values.get("from-tag", "")
    if not (call_id and to_tag and from_tag):
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in values)


def referred(text: str) -> Replaces | None:
    """What the request that a Refer-To asks for is to replace, if anything."""
    if (found := REFERRED.search(text)) is None:
        return None
    for one in found[4].split("&"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "replaces":
            return read(unquote(value))
    return None


def sent_to(text: str, host: str, port: int) -> str:
    """A Refer-To with headers, for this address in place of the one that it has."""
    return REFERRED.sub(lambda found: f"<sip:{found[2]}{host}:{port}?{found[4]}>", text, count=1)
