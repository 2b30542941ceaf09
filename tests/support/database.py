"""One embedded PostgreSQL for the whole run, and in it an empty database with the schema for each test.

| fixture          | what it is                                          |
| ---------------- | --------------------------------------------------- |
| `postgres`       | the server, once for all                            |
| `conninfo`       | way to a database with the schema and without rows  |
| `database`       | a `callsvc.store.Database` on it, opened            |
| `empty_conninfo` | way to a database that has not even the schema      |

The database behind `conninfo` is emptied after a test and given to the next: that takes a hundredth of making one.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from callsvc.jobs import prepare
from callsvc.store import Database
from callsvc.store.embedded.cluster import ADMIN, Cluster

# Nothing here must outlive the machine's fall; waiting for the disk is what takes time.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
SHARED = "shared"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    cluster: Cluster
    process: subprocess.Popen[bytes]

    def create(self, name: str) -> str:
        self.cluster.ensure_database(name)
        return self.cluster.conninfo(name)

    def empty(self, name: str) -> None:
        """End all connections, remove all rows, start all numbers anew."""
        conninfo = self.cluster.conninfo(name, ADMIN)
        with psycopg.connect(conninfo, autocommit=True) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            # Neither foreign keys nor triggers stand in the way of this role.
            conn.execute("set session_replication_role = replica")
            statements: tuple[tuple[str, LiteralString], ...] = (
                ("r", "delete from {}"),
                ("S", "alter sequence {} restart"),
            )
            for kind, statement in statements:
                names = conn.execute(
                    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = %s"
                    " and relname not in ('schema_version', 'queue_version')",
                    [kind],
                ).fetchall()
                for (table,) in names:
                    conn.execute(sql.SQL(statement).format(sql.Identifier(table)))

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
            said = log.read_text()
            if (
                said.rstrip().endswith("reattach to the shared memory.")
                or "pre-existing shared memory" in said
            ):
                # The children of one that was killed have not all noticed yet.
                log.write_text("")
                time.sleep(0.2)
                return start(cluster, log)
            raise RuntimeError(f"PostgreSQL did not start:\n{said}")
        time.sleep(0.02)
    return process


def stop(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.wait(30)
    cluster.forget_socket()


@contextmanager
def one_database(base: Path, settings: Mapping[str, str] = FAST) -> Iterator[str]:
    """A server of its own under `base`, with a database that has the schema; the way to that."""
    base.chmod(0o755)  # a server that may not run as root has to get in
    cluster = Cluster(base / "postgres", base / "run", settings=settings)
    cluster.prepare()
    process = start(cluster, base / "postgres.log")
    try:
        cluster.ensure_database()
        asyncio.run(prepare(cluster.conninfo()))
        yield cluster.conninfo()
    finally:
        stop(cluster, process)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("postgres")
    cluster = Cluster(base / "data", base / "run", settings=FAST)
    cluster.prepare()
    process = start(cluster, base / "log")
    server = Server(cluster, process)
    cluster.ensure_database(SHARED)
    asyncio.run(prepare(cluster.conninfo(SHARED)))
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
    yield postgres.cluster.conninfo(SHARED)
    postgres.empty(SHARED)


@pytest_asyncio.fixture
async def database(conninfo: str) -> AsyncIterator[Database]:
    async with Database(conninfo, pool_max=4) as opened:
        yield opened
