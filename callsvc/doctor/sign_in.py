"""The organisation's sign-in: whether the provider answers, is the one that is named, and can give anybody a role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from callsvc.access.openid import NotTrusted, Provider, ProviderAway
from callsvc.clock import SystemClock
from callsvc.config import Settings
from callsvc.doctor.finding import Finding, degraded, fault, good


def sign_in(settings: Settings) -> Iterator[Finding]:
    """What is configured; nothing where nothing is."""
    wanted = settings.openid
    if not wanted.issuer:
        return
    if not wanted.client_id:
        yield fault("openid", "client")
    elif not wanted.roles:
        yield fault("openid", "roles", claim=wanted.roles_claim)
    else:
        yield asyncio.run(_provider(settings))


async def _provider(settings: Settings) -> Finding:
    wanted = settings.openid
    try:
        about = await Provider(wanted, SystemClock()).about()
    except ProviderAway:
        # Local accounts still open the door; where they are shut out nobody comes in.
        return (degraded if wanted.local_accounts else fault)("openid", "away", issuer=wanted.issuer)
    except NotTrusted as error:
        return fault("openid", "other", issuer=wanted.issuer, detail=error.said)
    missing = set(wanted.scopes) - set(about.get("scopes_supported", wanted.scopes))
    if missing:
        return degraded("openid", "scopes", scopes=" ".join(sorted(missing)))
    return good("openid", issuer=wanted.issuer)
