"""The real web app on a real database and a real socket, in a thread of its own; people and calls to try it with.

site        Served(url, ...): `site.client()` is a browser's worth of HTTP; `site.run(work)` works on its database
person      site.person("anna", Role.INVESTIGATOR): an account and its password
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from argon2 import PasswordHasher

from callsvc import data_dir
from callsvc.access import passwords, people
from callsvc.clock import FixedClock, SystemClock
from callsvc.config import Settings, load
from callsvc.http_door import Server
from callsvc.store import Connection, Database
from callsvc.types import Role
from callsvc.web.app import create_app
from callsvc.web.process import PagesDoor, make_site
from callsvc.web.site import Site
from tests.support import past_calls
from tests.support.recordings import Made

T = TypeVar("T")
PASSWORD = "fyra gula hästar äter"


class Served:
    """The app behind a socket, until `close`."""

    def __init__(self, settings: Settings, conninfo: str, clock: FixedClock | SystemClock) -> None:
        self.settings = settings
        self.clock = clock
        self.site: Site
        self._conninfo = conninfo
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=[self._serve()])
        self._thread.start()
        assert self._up.wait(30)

    async def _serve(self) -> None:
        async with Database(self._conninfo, pool_max=6) as database:
            self.site = make_site(self.settings, database, self.clock)
            server = Server(create_app(self.site), PagesDoor)
            serving = asyncio.create_task(server.serve([self.listening]))
            watching = asyncio.create_task(self.site.changes.run())
            while not server.started:
                await asyncio.sleep(0.01)
            self._up.set()
            await self._stop.wait()
            self.site.changes.close()
            server.should_exit = True
            await serving
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def close(self) -> None:
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self.listening.close()
        self.loop.close()

    def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Work on the database, in one transaction, and wait for it."""

        async def within() -> T:
            async with self.site.database.transaction() as conn:
                return await work(conn)

        return self.wait(within())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Something that is to happen in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def person(self, name: str, *roles: Role, must_change: bool = False, shown: str = "") -> people.Person:
        """An account with the password `PASSWORD`."""

        async def make(conn: Connection) -> people.Person:
            return await people.create(
                conn,
                name=name,
                display_name=shown or name.capitalize(),
                roles=roles,
                password=PASSWORD,
                at=self.clock.utc_now(),
                must_change_password=must_change,
            )

        return self.run(make)

    def client(self, **headers: str) -> httpx.Client:
        """Somebody with a cookie jar; for a `with`."""
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    @contextmanager
    def signed_in(self, name: str, *roles: Role) -> Iterator[httpx.Client]:
        """A new person of these roles, signed in."""
        self.person(name, *roles)
        with self.client() as client:
            answer = client.post("/api/login", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield client


@pytest.fixture
def quick_passwords() -> Iterator[None]:
    """The same argon2id, with parameters that take no time; its real ones have their own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


def settings_for(path: Path) -> Settings:
    return load(data_dir=data_dir.prepare(path))


def furnish(data: Path, made: Made) -> None:
    """Lay a recording and the keys that it was made with into a data directory."""
    shutil.copytree(made.directory, data / "spool" / made.call)
    shutil.copytree(made.directory.parent.parent / "keys", data / "keys", dirs_exist_ok=True)


@contextmanager
def serving(
    conninfo: str, path: Path, clock: FixedClock | SystemClock | None = None, made: Made | None = None
) -> Iterator[Served]:
    """A site on the database, with its data under `path`; `made` is a recording that it has."""
    settings = settings_for(path)
    if made is not None:
        furnish(settings.data_dir, made)
    served = Served(settings, conninfo, clock or SystemClock())
    try:
        yield served
    finally:
        served.close()


@pytest.fixture
def made() -> Made | None:
    """The recording that the site has: a test that wants one has a fixture of this name."""
    return None


@pytest.fixture
def site(conninfo: str, tmp_path: Path, quick_passwords: None, made: Made | None) -> Iterator[Served]:
    with serving(conninfo, tmp_path / "data", made=made) as served:
        yield served


@pytest.fixture
def call(site: Served, made: Made) -> str:
    """The call of that recording, transcribed."""
    call_id = site.run(lambda conn: past_calls.recorded(conn, made))
    site.run(lambda conn: past_calls.transcribed(conn, call_id))
    return str(call_id)


@pytest.fixture
def still_site(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[Served]:
    """The same with a clock that stands still until the test moves it, and screens that do not lock meanwhile."""
    settings = settings_for(tmp_path / "data")
    web = settings.web.model_copy(update={"lock_after_min": 0.0})
    served = Served(settings.model_copy(update={"web": web}), conninfo, FixedClock())
    try:
        yield served
    finally:
        served.close()
