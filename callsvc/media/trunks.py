"""Where calls come from besides our own clients: a trunk or PBX by SIP, an Asterisk that hands them over.

What is not configured is not there. What is configured and away degrades the node, and calls of others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

from callsvc import data_dir
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.errors import ConfigurationError
from callsvc.locale.unfit import no_network
from callsvc.telephony.asterisk.ari import Ari
from callsvc.telephony.asterisk.exchange import Exchange
from callsvc.telephony.asterisk.frames import FORMATS
from callsvc.telephony.asterisk.placed import Plan
from callsvc.telephony.asterisk.server import AudioSocketServer
from callsvc.telephony.lines import ADDRESS, LinesInForce
from callsvc.telephony.sip.admission import Peers
from callsvc.telephony.switchboard import Switchboard

Degraded = Callable[[], list[str]]


@contextlib.asynccontextmanager
async def trunks(
    settings: Settings, board: Switchboard, clock: Clock, lines: LinesInForce
) -> AsyncIterator[Degraded]:
    """Take calls from what is configured, on these lines; gives the names of what is away."""
    async with contextlib.AsyncExitStack() as stack:
        parts: list[Degraded] = []
        if settings.asterisk.url:
            parts.append(await stack.enter_async_context(_asterisk(settings, board, clock, lines)))
        if settings.sip.host:
            parts.append(await stack.enter_async_context(_sip(settings, board, clock, lines)))
        yield lambda: [name for part in parts for name in part()]


@contextlib.asynccontextmanager
async def _asterisk(
    settings: Settings, board: Switchboard, clock: Clock, lines: LinesInForce
) -> AsyncIterator[Degraded]:
    wanted = settings.asterisk
    try:
        audio = AudioSocketServer(wanted.peers, FORMATS[wanted.format], clock)
    except ValueError as error:
        raise ConfigurationError("asterisk.peers: {why}.", why=no_network(error)) from None
    port = await audio.start(wanted.host, wanted.port)
    announce(settings.data_dir, "audiosocket", wanted.host, port)
    reached = wanted.audio_address or _address(wanted.host, port)
    plan = Plan(
        reached,
        wanted.format,
        wanted.profile,
        wanted.operator,
        wanted.ring_s,
        lines.of,
        settings.media.node_id,
    )
    ari = Ari(wanted.url, wanted.user, wanted.password.get_secret_value(), wanted.app)
    exchange = Exchange(ari, audio, board, plan)
    running = asyncio.create_task(exchange.run(), name="asterisk")
    try:
        yield lambda: [] if exchange.connected and not running.done() else ["asterisk"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await audio.close()
        ari.close()


@contextlib.asynccontextmanager
async def _sip(
    settings: Settings, board: Switchboard, clock: Clock, lines: LinesInForce
) -> AsyncIterator[Degraded]:
    # sippy takes a while to load, and only whoever is called by SIP needs it.
    from callsvc.telephony.sip.media import Pairs
    from callsvc.telephony.sip.trunk import Trunk, Wishes, address, profile_line

    wanted = settings.sip
    if not wanted.peers:
        raise ConfigurationError("sip.peers names nobody, so that nobody could call.")
    if ipaddress.ip_address(wanted.host).is_unspecified:
        raise ConfigurationError("sip.host must be one address of this machine, and no wildcard.")
    wishes = Wishes(
        peers=wanted.peers,
        default=profile_line(wanted.profile, wanted.operator),
        lines=[(line.number, profile_line(line.profile, line.operator)) for line in wanted.lines],
        edited=lines.of,
        user=wanted.user,
        password=wanted.password.get_secret_value(),
        registrar=wanted.registrar,
        ring_s=wanted.ring_s,
        session_s=wanted.session_s,
        calls_per_s=wanted.calls_per_s,
        burst=wanted.burst,
        hosts=(address(wanted.registrar)[1],) if wanted.registrar else (),
    )
    pairs = Pairs(wanted.host, *wanted.rtp_ports)
    try:
        trunk = Trunk(wanted.host, wishes, board, pairs, clock)
    except ValueError as error:
        raise ConfigurationError("sip.peers: {why}.", why=no_network(error)) from None
    announce(settings.data_dir, "sip", wanted.host, trunk.start(wanted.port))
    try:
        yield lambda: ["sip_registration"] if trunk.registered is False else []
    finally:
        await trunk.close()


def known(settings: Settings) -> Callable[[str], bool]:
    """Whether a telephone at this address is one that the settings let in; without SIP there is none to be rung."""
    wanted = settings.sip
    if not wanted.host:
        return lambda _: True
    named = [wanted.operator, wanted.registrar, *(line.operator for line in wanted.lines)]
    found = [ADDRESS.fullmatch(one) for one in named]
    try:
        return Peers([*wanted.peers, *(one[2].strip("[]") for one in found if one)]).__contains__
    except ValueError as error:
        raise ConfigurationError("sip.peers: {why}.", why=no_network(error)) from None


def announce(directory: Path, name: str, host: str, port: int) -> None:
    """Say in ports.json which address is really in use."""
    known = data_dir.addresses(directory)
    data_dir.write_addresses(directory, known | {name: {"host": host, "port": port}})


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(url: str) -> tuple[str, int]:
    """Host and port that a URL of Asterisk names."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 8088)
