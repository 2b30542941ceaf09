"""One embedded PostgreSQL for the whole run, and a database of its own, made from a template, for each test.

postgres    the server: Server(cluster, process)          once
conninfo    connection string of a fresh database         for each test
database    a `callsvc.store.Database` on it, opened      for each test
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from callsvc.jobs import prepare
from callsvc.store import Database
from callsvc.store.embedded.cluster import ADMIN, OWNER, Cluster

# Nothing here must outlive the machine's fall; waiting for the disk is what takes time.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    cluster: Cluster
    process: subprocess.Popen[bytes]

    def create(self, name: str, template: str = "template1") -> str:
        with psycopg.connect(self.cluster.conninfo("postgres", ADMIN), autocommit=True) as conn:
            conn.execute(
                sql.SQL("create database {} owner {} template {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
                )
            )
        return self.cluster.conninfo(name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.cluster.conninfo("postgres", ADMIN), autocommit=True) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def start(cluster: Cluster, log: Path) -> subprocess.Popen[bytes]:
    """Run a prepared cluster and wait until it answers."""
    launch = cluster.launch()
    with log.open("ab") as output:
        process = subprocess.Popen(
            launch.command,
            env=dict(launch.environment),
            cwd=launch.directory,
            preexec_fn=launch.before_exec,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    while not cluster.ready():
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)
    return process


def stop(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.wait(30)
    cluster.forget_socket()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("postgres")
    cluster = Cluster(base / "data", base / "run", settings=FAST)
    cluster.prepare()
    process = start(cluster, base / "log")
    server = Server(cluster, process)
    cluster.ensure_database("template")
    asyncio.run(prepare(cluster.conninfo("template")))
    yield server
    stop(cluster, process)


@pytest.fixture
def empty_conninfo(postgres: Server) -> Iterator[str]:
    """A database without a schema."""
    name = f"empty_{next(_NUMBERS)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def conninfo(postgres: Server) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    yield postgres.create(name, template="template")
    postgres.drop(name)


@pytest_asyncio.fixture
async def database(conninfo: str) -> AsyncIterator[Database]:
    async with Database(conninfo, pool_max=4) as opened:
        yield opened
