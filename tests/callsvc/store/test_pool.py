"""The pool tells when the database is away, and finds it again when it is back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from callsvc import data_dir, store
from callsvc.config import load
from callsvc.errors import Unavailable
from callsvc.store import Database, address
from callsvc.store.embedded.cluster import Cluster
from tests.support.database import FAST, start, stop

pytestmark = pytest.mark.call


async def works(database: Database) -> bool:
    return await database.ready()


@pytest.mark.fault
async def test_a_database_that_is_killed_is_away_and_then_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.store.database.WAIT_S", 2.0)
    one = Cluster(tmp_path / "data", tmp_path / "run", settings=FAST)
    await asyncio.to_thread(one.prepare)
    process = await asyncio.to_thread(start, one, tmp_path / "log")
    await asyncio.to_thread(one.ensure_database)
    async with Database(one.conninfo(), pool_max=3) as database:
        assert await works(database)
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        assert not await works(database)
        await asyncio.to_thread(one.prepare)
        process = await asyncio.to_thread(start, one, tmp_path / "log")
        try:
            while not await works(database):
                await asyncio.sleep(0.1)
            # Side by side as well: no slot of the pool was lost.
            assert all(await asyncio.gather(*(works(database) for _ in range(6))))
        finally:
            await asyncio.to_thread(stop, one, process)


async def test_a_connection_that_is_cut_is_replaced_before_anybody_gets_it(database: Database) -> None:
    async with database.transaction() as conn:
        cursor = await conn.execute("select pg_backend_pid() as pid")
        first = await cursor.fetchone()
        assert first is not None
    with psycopg.connect(database.conninfo, autocommit=True) as killer:
        killer.execute("select pg_terminate_backend(%s)", [first["pid"]])
    async with database.transaction() as conn:
        await conn.execute("select 1")


async def test_one_that_is_cut_in_the_middle_says_that_the_database_is_away(database: Database) -> None:
    async def cut_off() -> None:
        async with database.transaction() as conn:
            await conn.execute("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Unavailable):
        await cut_off()
    assert await works(database)


async def test_what_fails_is_undone_and_what_was_wrong_is_said(database: Database) -> None:
    async def fails() -> None:
        async with database.transaction() as conn:
            await conn.execute("insert into node_progress values ('n', 1, now())")
            await conn.execute("select 1/0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await fails()
    async with database.transaction() as conn:
        cursor = await conn.execute("select count(*) from node_progress")
        assert await cursor.fetchone() == {"count": 0}


def test_the_address_is_the_settings_or_the_embedded_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(data_dir=tmp_path)
    with pytest.raises(Unavailable):
        store.address(settings)
    (tmp_path / "run").mkdir()
    found = {"host": "/x/run/postgres", "port": 5432, "dbname": "callsvc", "user": "callsvc"}
    (tmp_path / "run" / "ports.json").write_text(json.dumps({"database": found}))
    assert conninfo_to_dict(store.address(settings)) == found | {"port": "5432"}
    monkeypatch.setenv("CALLSVC_DATABASE__URL", "postgresql://a@b/c")
    assert store.address(load(data_dir=tmp_path)) == "postgresql://a@b/c"


@pytest.mark.parametrize("told", ["{half", "[]", '{"database": 5}', '{"database": {"nosuch": 1}}', "{}"])
def test_an_address_that_nobody_can_read_is_that_of_no_database(tmp_path: Path, told: str) -> None:
    path = data_dir.prepare(tmp_path)
    (path / "run" / "ports.json").write_text(told)
    with pytest.raises(Unavailable, match="not running"):
        address(load(data_dir=path))
