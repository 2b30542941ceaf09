"""What the routes work with: one object, put together at the root and handed to every route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request

from callsvc.access.openid import Provider
from callsvc.access.second_factor import Cipher
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.store import Database
from callsvc.web.catalogues import Catalogues
from callsvc.web.changes import Changes
from callsvc.web.health import Probe
from callsvc.web.library import Library
from callsvc.web.looks import Looks
from callsvc.web.nodes import Nodes
from callsvc.web.reading import Readings


@dataclass(frozen=True, slots=True)
class Site:
    settings: Settings
    database: Database
    clock: Clock
    changes: Changes
    catalogues: Catalogues
    nodes: Nodes
    """What the media nodes say that they go by."""
    library: Library
    looks: Looks
    readings: Readings
    token_key: Ed25519PrivateKey
    """Signs the tokens that let a client join a leg."""
    second_factors: Cipher
    """Opens the secrets of second factors."""
    provider: Provider
    """Vouches for people who sign in by their organisation's account."""
    probe: Probe
    """Says how every part of the service is."""


def site(request: Request) -> Site:
    """The site of a request, for `Depends`."""
    return cast(Site, request.app.state.site)
