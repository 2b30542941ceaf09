"""A worker that is killed in the middle of a call: another one finishes it, and no piece comes twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from callsvc import transcripts
from callsvc.ids import new_id
from callsvc.store import Database
from callsvc.store import transcripts as rows
from callsvc.types import TranscriptState
from tests.callsvc.transcripts.rehearsal import EVERY_S, PIECES
from tests.support.model_files import model_directory
from tests.support.past_calls import BEGAN

pytestmark = [pytest.mark.transcripts, pytest.mark.fault]


def worker(tmp_path: Path, conninfo: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.callsvc.transcripts.rehearsal", tmp_path / "model", tmp_path / "marks"],
        env={
            **os.environ,
            "CALLSVC_DATA_DIR": str(tmp_path / "data"),
            "CALLSVC_DATABASE__URL": conninfo,
            "CALLSVC_WORKER__PORT": "0",
        },
        stderr=subprocess.DEVNULL,
    )


async def until_pieces(tmp_path: Path, count: int) -> None:
    marks = tmp_path / "marks"
    while not marks.exists() or len(marks.read_text().splitlines()) < count:
        await asyncio.sleep(0.02)


async def test_another_worker_finishes_it_and_no_piece_is_there_twice(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    model_directory(tmp_path / "model")
    (tmp_path / "marks.hold").touch()
    call = new_id()
    async with database.transaction() as conn:
        await conn.execute(
            "insert into calls (id, profile, state, created_at) values (%s, 'report', 'ended', %s)",
            [call, BEGAN],
        )
        await transcripts.ask(conn, call)
    first = worker(tmp_path, conninfo)
    try:
        await until_pieces(tmp_path, 5)
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.kill()
        first.wait()
    (tmp_path / "marks.hold").unlink()
    async with database.transaction() as conn:
        # As if the time until it counts as dead had gone by.
        await conn.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
    second = worker(tmp_path, conninfo)
    try:
        while True:
            async with database.transaction() as conn:
                found = await rows.of_call(conn, call)
            if found is not None and found.state == TranscriptState.DONE:
                break
            assert second.poll() is None
            await asyncio.sleep(0.05)
        async with database.transaction() as conn:
            said = await rows.utterances(conn, found.id)
    finally:
        second.kill()
        second.wait()
    expected = [1000 * EVERY_S * n + 1100 for n in range(PIECES)]
    for leg in ("caller", "operator"):
        assert [one.start_ms for one in said if one.leg == leg] == expected
    # The piece that the first was at when it died is the only one that was heard twice.
    assert len((tmp_path / "marks").read_text().splitlines()) == 2 * PIECES + 1
