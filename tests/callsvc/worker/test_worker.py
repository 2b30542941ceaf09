"""The worker process: real, killed, stopped, and without a database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from callsvc.jobs import defer, queue
from callsvc.store import Database

pytestmark = pytest.mark.call


@asynccontextmanager
async def worker(
    tmp_path: Path, conninfo: str, port: int = 0
) -> AsyncIterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """The process, the file with its marks, and its log."""
    marks, log = tmp_path / "marks", tmp_path / f"log.{os.urandom(4).hex()}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.callsvc.worker.rehearsal", str(marks)],
            env={
                **os.environ,
                "CALLSVC_DATA_DIR": str(tmp_path / "data"),
                "CALLSVC_DATABASE__URL": conninfo,
                "CALLSVC_WORKER__PORT": str(port),
            },
            stderr=output,
        )
    try:
        yield process, marks, log
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def until_said(log: Path, event: str) -> dict[str, object]:
    while True:
        for line in log.read_text().splitlines():
            if event in line:
                said: dict[str, object] = json.loads(line)
                return said
        await asyncio.sleep(0.05)


async def until_marked(marks: Path, line: str) -> None:
    while not marks.exists() or line not in marks.read_text().splitlines():
        await asyncio.sleep(0.05)


async def ended(process: subprocess.Popen[bytes]) -> int:
    while process.poll() is None:
        await asyncio.sleep(0.05)
    assert process.returncode is not None
    return process.returncode


async def test_a_job_of_a_killed_worker_is_done_by_another(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    async with database.transaction() as conn:
        number = await defer(conn, "rehearse", words="stay")
    assert number is not None
    async with worker(tmp_path, conninfo) as (first, marks, _):
        await until_marked(marks, "start 1 stay")
        os.kill(first.pid, signal.SIGKILL)
        assert await ended(first) == -signal.SIGKILL
    async with database.transaction() as conn:
        assert await queue.state(conn, number) == "doing"
        # As if the time until it counts as dead had gone by.
        await conn.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
    async with worker(tmp_path, conninfo) as (_, marks, _log):
        await until_marked(marks, "end 2 stay")


async def test_told_to_stop_it_puts_back_what_does_not_end_and_exits_cleanly(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    async with database.transaction() as conn:
        number = await defer(conn, "rehearse", words="stay")
    assert number is not None
    async with worker(tmp_path, conninfo) as (process, marks, _):
        await until_marked(marks, "start 1 stay")
        process.terminate()
        assert await ended(process) == 0
    async with database.transaction() as conn:
        assert await queue.state(conn, number) == "todo"
        cursor = await conn.execute("select count(*) from procrastinate_workers")
        assert await cursor.fetchone() == {"count": 0}


async def test_without_a_database_it_is_alive_not_ready_and_stops_when_told(tmp_path: Path) -> None:
    nowhere = f"host={tmp_path} dbname=none connect_timeout=2"
    async with worker(tmp_path, nowhere) as (process, _, log), httpx.AsyncClient() as web:
        port = (await until_said(log, "worker_listens"))["port"]
        await until_said(log, "database_away")
        assert (await web.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
        answer = await web.get(f"http://127.0.0.1:{port}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["database_away"]})
        process.terminate()
        assert await ended(process) == 0


async def test_it_is_ready_and_counts_what_it_does(tmp_path: Path, conninfo: str, database: Database) -> None:
    async with worker(tmp_path, conninfo) as (_, marks, log), httpx.AsyncClient() as web:
        port = (await until_said(log, "worker_listens"))["port"]
        await until_said(log, "worker_ready")
        assert (await web.get(f"http://127.0.0.1:{port}/readyz")).json() == {"ready": True, "reasons": []}
        async with database.transaction() as conn:
            await defer(conn, "rehearse", words="hello")
        await until_marked(marks, "end 1 hello")
        await until_said(log, "job_ended")
        figures = (await web.get(f"http://127.0.0.1:{port}/metrics")).text
        assert 'callsvc_jobs_ended_total{kind="rehearse",outcome="done"} 1.0' in figures


async def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, conninfo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with worker(tmp_path, conninfo, port) as (process, _, log):
            assert await ended(process) != 0
            assert f"Port {port} (worker.port) is taken" in log.read_text()


async def test_garbage_on_its_port_does_not_end_it(tmp_path: Path, conninfo: str) -> None:
    async with worker(tmp_path, conninfo) as (_, _marks, log), httpx.AsyncClient() as web:
        said = await until_said(log, "worker_listens")
        await until_said(log, "worker_ready")
        port = int(str(said["port"]))
        for garbage in (b"\x00" * 5000, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", os.urandom(3000)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(garbage)
            writer.write_eof()
            with suppress(ConnectionError):
                await reader.read()
            writer.close()
        assert (await web.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
