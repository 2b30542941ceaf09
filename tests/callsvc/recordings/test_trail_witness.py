"""The end of the trail is kept outside the database, and a database that lost it is found out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from callsvc.access import trail
from callsvc.config import Settings, load
from callsvc.errors import VerificationFailed
from callsvc.recordings.command import app, check_trail
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.objects import objects
from callsvc.recordings.trail_witness import keep, latest
from callsvc.store import Database
from callsvc.store.embedded.cluster import ADMIN
from callsvc.worker.roots import CHORES
from tests.support.database import SHARED, Server

pytestmark = pytest.mark.evidence

NOON = datetime(2026, 1, 31, 12, 3, tzinfo=UTC)


def settings_for(base: Path, conninfo: str) -> Settings:
    return load(data_dir=base, database={"url": conninfo})


async def happen(database: Database, many: int) -> trail.Head:
    async with database.transaction() as conn:
        for n in range(many):
            await trail.record(
                conn, user_id=None, action="call.listen", object_kind="call", object_id=str(n), at=NOON
            )
        return await trail.head(conn)


async def test_the_head_is_kept_once_in_ten_minutes_and_only_when_something_came(
    tmp_path: Path, database: Database
) -> None:
    keys, store = FileKeyRing(tmp_path / "keys"), objects(load(data_dir=tmp_path))
    assert not keep(store, keys, trail.Head(0, trail.GENESIS), NOON)
    first = await happen(database, 3)
    assert keep(store, keys, first, NOON)
    second = await happen(database, 1)
    assert not keep(store, keys, second, NOON + timedelta(minutes=5))
    assert keep(store, keys, second, NOON + timedelta(minutes=10))
    assert not keep(store, keys, second, NOON + timedelta(minutes=20))
    assert store.names("trail") == ["trail/2026-01-31/1200.json", "trail/2026-01-31/1210.json"]
    kept = latest(store, keys)
    assert kept is not None
    assert kept.head == second


async def test_a_trail_whose_end_was_cut_off_or_written_anew_is_found_out(
    tmp_path: Path, conninfo: str, database: Database, postgres: Server
) -> None:
    settings = settings_for(tmp_path, conninfo)
    keys, store = FileKeyRing(tmp_path / "keys"), objects(settings)
    head = await happen(database, 5)
    keep(store, keys, head, NOON)
    found, kept = await check_trail(settings, keys)
    assert (found, kept and kept.head) == (head, head)
    # Whoever owns the database's server may do what the service may not.
    with psycopg.connect(postgres.cluster.conninfo(SHARED, ADMIN), autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("delete from access_events where id = 5")
    with pytest.raises(VerificationFailed, match="event 5 is known to have been"):
        await check_trail(settings, keys)
    async with database.transaction() as conn:
        await trail.record(
            conn, user_id=None, action="call.look", object_kind="call", object_id="other", at=NOON
        )
    with pytest.raises(VerificationFailed, match="not the one that was known"):
        await check_trail(settings, keys)


async def test_a_head_that_somebody_else_wrote_is_none(tmp_path: Path, database: Database) -> None:
    keys, store = FileKeyRing(tmp_path / "keys"), objects(load(data_dir=tmp_path))
    keep(store, FileKeyRing(tmp_path / "others"), await happen(database, 1), NOON)
    with pytest.raises(VerificationFailed, match="not written by this service"):
        latest(store, keys)


def test_the_command_says_what_the_trail_was_held_against(
    tmp_path: Path, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSVC_DATABASE__URL", conninfo)
    settings = settings_for(tmp_path, conninfo)
    FileKeyRing(tmp_path / "keys")

    async def chore() -> None:
        async with Database(conninfo, pool_max=2) as database:
            await happen(database, 2)
            await CHORES[0](settings, database)

    said = CliRunner().invoke(app, ["--trail", "--data-dir", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "Inget är ännu lagt" in said.output
    asyncio.run(chore())
    said = CliRunner().invoke(app, ["--trail", "--data-dir", str(tmp_path)])
    assert "2 händelser" in said.output
    assert "håller mot det som lades" in said.output
