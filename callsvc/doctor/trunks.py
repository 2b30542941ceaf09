"""Where calls come from besides the browser: whether an Asterisk that is configured can hand them over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from callsvc.config import Settings
from callsvc.doctor.finding import Finding, degraded, fault, good
from callsvc.telephony.asterisk.ari import Ari, AriRefused

WIDE_SINCE = {20: (20, 17), 22: (22, 7), 23: (23, 1)}
"""The versions, by branch, that name the rate of an AudioSocket's sound."""
MODULES = ("chan_audiosocket.so", "res_audiosocket.so", "res_ari_channels.so", "res_ari_bridges.so")


def trunks(settings: Settings) -> Iterator[Finding]:
    """What is configured; nothing where nothing is."""
    if settings.asterisk.url:
        yield asyncio.run(_asterisk(settings))


async def _asterisk(settings: Settings) -> Finding:
    wanted = settings.asterisk
    ari = Ari(wanted.url, wanted.user, wanted.password.get_secret_value(), wanted.app)
    try:
        about = await ari.request("GET", "/asterisk/info", only="system")
        for module in MODULES:
            try:
                await ari.request("GET", f"/asterisk/modules/{module}")
            except AriRefused as error:
                if error.status != 404:
                    raise
                return fault("asterisk", "module", module=module)
    except AriRefused as error:
        if error.status == 401:
            return fault("asterisk", "password", user=wanted.user)
        return fault("asterisk", "silent", url=wanted.url)
    finally:
        ari.close()
    system = about.get("system") if isinstance(about, dict) else None
    version = str(system.get("version", "")) if isinstance(system, dict) else ""
    if wanted.format != "slin" and not speaks_wide(version):
        return degraded("asterisk", "narrow", version=version, format=wanted.format)
    return good("asterisk", version=version, url=wanted.url)


def speaks_wide(version: str) -> bool:
    """Whether an Asterisk of this version sends more than 8 kHz so that it can be told from them."""
    found = re.search(r"(\d+)\.(\d+)", version)
    if not found:
        return True  # built by hand: whoever did that knows
    major, minor = int(found[1]), int(found[2])
    return (major, minor) >= WIDE_SINCE.get(major, (24, 0))
