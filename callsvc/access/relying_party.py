"""For which address passkeys are good: a browser gives one to the name that it was made for, and to nobody else.

Browsers do so over https alone, but on the machine itself; and for a name, never for a bare IP address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"https": 443, "http": 80}


class WhyNot(StrEnum):
    """Why an address can have no passkeys."""

    INSECURE = "insecure"
    NO_NAME = "no_name"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks for a passkey: the name that it is bound to, and the one origin that the question may come from."""

    id: str
    origin: str


def relying_party(public_url: str, reached_at: str) -> RelyingParty | WhyNot:
    """From web.public_url; where that is empty, from the address at which the service was reached."""
    parts = urlsplit(public_url or reached_at)
    name = (parts.hostname or "").lower()
    if name in _HERE:
        name = "localhost"  # the same machine, by the only name of it that browsers take
    elif parts.scheme != "https":
        return WhyNot.INSECURE
    elif _is_address(name):
        return WhyNot.NO_NAME
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return RelyingParty(name, f"{parts.scheme}://{name}{port}")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
