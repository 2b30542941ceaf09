"""Where calls come from besides the browser: whether SIP can be answered, and an Asterisk hand its calls over."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Iterator

from callsvc.config import Settings
from callsvc.doctor.finding import Finding, degraded, fault, good
from callsvc.doctor.service import runs
from callsvc.locale.unfit import no_network
from callsvc.telephony.asterisk.ari import Ari, AriRefused

WIDE_SINCE = {20: (20, 17), 22: (22, 7), 23: (23, 1)}
"""The versions, by branch, that name the rate of an AudioSocket's sound."""
MODULES = (
    "chan_audiosocket.so",
    "res_audiosocket.so",
    "res_ari_channels.so",
    "res_ari_bridges.so",
    "res_ari_events.so",
    "app_stasis.so",
)


def trunks(settings: Settings) -> Iterator[Finding]:
    """What is configured; nothing where nothing is."""
    if settings.sip.host:
        yield _sip(settings)
    if settings.asterisk.url:
        yield asyncio.run(_asterisk(settings))


def _sip(settings: Settings) -> Finding:
    wanted = settings.sip
    if not wanted.peers:
        return fault("sip", "nobody")
    try:
        networks = [ipaddress.ip_network(peer, strict=False) for peer in wanted.peers]
    except ValueError as error:
        return fault("sip", "peers", detail=no_network(error))
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            if ipaddress.ip_address(wanted.host).is_unspecified:
                return fault("sip", "address", host=wanted.host)
            probe.bind((wanted.host, wanted.port))
        except ValueError:
            return fault("sip", "address", host=wanted.host)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return fault("sip", "address", host=wanted.host)
            if not runs(settings.data_dir):
                return fault("sip", "taken", host=wanted.host, port=wanted.port)
    if any(network.prefixlen == 0 for network in networks):
        return degraded("sip", "anybody")
    return good("sip", host=wanted.host, port=wanted.port, peers=", ".join(wanted.peers))


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
