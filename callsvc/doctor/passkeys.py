"""Whether people can have passkeys at the address that the settings name, and at which one."""

from __future__ import annotations

from collections.abc import Iterator

from callsvc.access.relying_party import WhyNot, relying_party
from callsvc.config import Settings
from callsvc.doctor.finding import Finding, State, good, optional


def passkeys(settings: Settings) -> Iterator[Finding]:
    """What the settings make of it; nothing where there are no local accounts."""
    if settings.openid.issuer and not settings.openid.local_accounts:
        return
    web = settings.web
    address = web.public_url or f"http://{web.host}:{web.port}"
    party = relying_party(web.public_url, address)
    if isinstance(party, WhyNot):
        yield optional("passkeys", party.value, address=address)
    elif web.public_url:
        yield good("passkeys", origin=party.origin)
    else:
        yield Finding("passkeys", "local", State.GOOD, {"origin": party.origin})
