"""Migrations go forward, once, one process at a time, each whole or not at all; a newer schema is refused."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from callsvc.errors import ConfigurationError
from callsvc.jobs import prepare
from callsvc.store import migrate
from callsvc.store.migrate import Migration, SchemaTooNew

pytestmark = pytest.mark.call

ONE = Migration(1, "one", "create table a (n int); insert into a values (1)")
TWO = Migration(2, "two", "update a set n = n + 1")
BAD = Migration(2, "bad", "update a set n = 99; select * from nowhere")


def value(conninfo: str, question: str) -> object:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute(question.encode()).fetchone()
        return None if row is None else row[0]


async def test_each_runs_once_and_in_order(empty_conninfo: str) -> None:
    assert await migrate.migrate(empty_conninfo, [ONE]) == 1
    assert await migrate.migrate(empty_conninfo, [ONE, TWO]) == 1
    assert await migrate.migrate(empty_conninfo, [ONE, TWO]) == 0
    assert value(empty_conninfo, "select n from a") == 2
    assert (
        value(empty_conninfo, "select string_agg(name, ' ' order by number) from schema_version") == "one two"
    )


async def test_processes_that_start_at_once_run_each_once(empty_conninfo: str) -> None:
    done = await asyncio.gather(*(migrate.migrate(empty_conninfo, [ONE, TWO]) for _ in range(5)))
    assert sorted(done) == [0, 0, 0, 0, 2]
    assert value(empty_conninfo, "select n from a") == 2


async def test_one_that_fails_leaves_nothing_of_itself(empty_conninfo: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await migrate.migrate(empty_conninfo, [ONE, BAD])
    assert value(empty_conninfo, "select n from a") == 1
    assert value(empty_conninfo, "select max(number) from schema_version") == 1
    assert await migrate.migrate(empty_conninfo, [ONE, TWO]) == 1


async def test_a_newer_schema_is_refused_and_left_alone(empty_conninfo: str) -> None:
    await migrate.migrate(empty_conninfo, [ONE, TWO])
    with pytest.raises(
        SchemaTooNew, match="schema version 2; this version of the service knows 1"
    ) as refused:
        await migrate.migrate(empty_conninfo, [ONE])
    assert refused.value.exit_code == ConfigurationError.exit_code == 3
    assert value(empty_conninfo, "select n from a") == 2


def test_the_packaged_ones_are_numbered_without_a_hole() -> None:
    assert [m.number for m in migrate.migrations()] == list(range(1, len(migrate.migrations()) + 1))


async def test_service_and_queue_are_prepared_together_by_whoever_comes(empty_conninfo: str) -> None:
    await asyncio.gather(*(prepare(empty_conninfo) for _ in range(3)))
    await prepare(empty_conninfo)
    assert value(empty_conninfo, "select count(*) from queue_version") == 1
    assert value(empty_conninfo, "select count(*) from procrastinate_jobs") == 0
    assert value(empty_conninfo, "select count(*) from users") == 0


async def test_a_queue_of_a_later_library_is_refused(empty_conninfo: str) -> None:
    await prepare(empty_conninfo)
    with psycopg.connect(empty_conninfo, autocommit=True) as conn:
        conn.execute("update queue_version set version = '99.0.0'")
    with pytest.raises(ConfigurationError, match=r"99\.0\.0"):
        await prepare(empty_conninfo)
