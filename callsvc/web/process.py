"""The web process: pages, API and the taking in of events; serves from the first moment, whatever else is away."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from callsvc import data_dir, jobs, logs
from callsvc.access.openid import Provider
from callsvc.access.relying_party import WhyNot, relying_party
from callsvc.access.second_factor import Cipher
from callsvc.bus import Ack, subscribe
from callsvc.bus.address import broker
from callsvc.bus.editions import spread
from callsvc.bus.envelope import Message
from callsvc.clock import Clock, SystemClock
from callsvc.config import Settings
from callsvc.events import Consumer
from callsvc.http_door import Door, Server
from callsvc.listening import listen
from callsvc.recordings.key_source import key_ring
from callsvc.store import Database
from callsvc.telephony import token_keys
from callsvc.web import pages, problems
from callsvc.web.app import create_app
from callsvc.web.catalogues import Catalogues
from callsvc.web.changes import MAX_WATCHERS, Changes
from callsvc.web.health import Probe
from callsvc.web.library import Library
from callsvc.web.looks import Looks
from callsvc.web.nodes import Nodes
from callsvc.web.reading import Readings
from callsvc.web.site import Site

STOP_S: Final = 5

_log = logs.get("web")


class Front:
    """What the server serves: the app, and before there is one, the plain truth that it is not there yet."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._waiting(scope)(scope, receive, send)

    @staticmethod
    def _waiting(scope: Scope) -> Response:
        match scope["path"]:
            case "/healthz":
                return JSONResponse({"status": "alive"})
            case "/readyz":
                return JSONResponse({"ready": False, "missing": ["database"]}, status_code=503)
            case _:
                accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
                return problems.answer("away", accepted)


class PagesDoor(Door):
    """Each screen holds a stream open, and a few connections besides."""

    most = 2 * MAX_WATCHERS


def make_site(settings: Settings, database: Database, clock: Clock) -> Site:
    """The site on a database, with the keys of the data directory."""
    keys = settings.data_dir / "keys"
    token_key = token_keys.private_key(keys)
    return Site(
        settings=settings,
        database=database,
        clock=clock,
        changes=Changes(database),
        catalogues=Catalogues(database, token_key),
        nodes=Nodes(),
        library=Library(settings, database, key_ring(settings)),
        looks=Looks(),
        readings=Readings(database, clock),
        token_key=token_key,
        second_factors=Cipher(_key(data_dir.secret(settings.data_dir, "second-factors"))),
        provider=Provider(settings.openid, clock),
        probe=Probe(settings, database, clock),
    )


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def take_events(site: Site) -> None:
    """Write the media nodes' events into the database, and have the screens told. Runs until cancelled."""
    consumer = Consumer(site.database, clock=site.clock)

    async def take(message: Message) -> Ack | None:
        ack = await consumer.take(message)
        site.changes.poke()
        return ack

    await subscribe(lambda: broker(site.settings), take)


async def tell_nodes(site: Site) -> None:
    """Keep the media nodes to what is in force, and hear what they go by. Runs until cancelled."""
    catalogues = site.catalogues
    await spread(lambda: broker(site.settings), catalogues.for_nodes, catalogues.changed, site.nodes.hear)


async def run(settings: Settings, *, clock: Clock | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Waits for the database as long as it takes. Raises `PortTaken`, `ScreensMissing`, and `SchemaTooNew` when the
    database belongs to a newer version.
    """
    pages.check(pages.BUILT)
    data_dir.prepare(settings.data_dir)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    front = Front()
    sock = listen(settings.web.host, settings.web.port, "web.port")
    server = Server(front, PagesDoor, stop_s=STOP_S, behind_proxy=bool(settings.web.public_url))
    serving = asyncio.create_task(server.serve([sock]))
    _log.info("web_listens", port=sock.getsockname()[1])
    try:
        conninfo = await jobs.prepared(settings, stop, _log)
        if conninfo is None:
            return
        async with Database(conninfo, pool_max=settings.database.pool_max) as database:
            site = make_site(settings, database, clock or SystemClock())
            front.app = create_app(site)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(site.changes.run()),
                    group.create_task(site.catalogues.run()),
                    group.create_task(take_events(site)),
                    group.create_task(site.probe.run()),
                    group.create_task(tell_nodes(site)),
                ]
                _log.info("web_ready", passkeys=_passkeys(settings))
                await stop.wait()
                site.changes.close()
                server.should_exit = True
                await serving
                for task in tasks:
                    task.cancel()
    finally:
        server.should_exit = True
        await serving
        sock.close()


def _passkeys(settings: Settings) -> str:
    """For which address passkeys are good, or why for none: who is reached at another looks for it here."""
    web = settings.web
    party = relying_party(web.public_url, f"http://{web.host}:{web.port}")
    return party.value if isinstance(party, WhyNot) else party.origin
