"""One part: started, awaited, started again, ended; with small programs in the place of the real ones."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from callsvc import data_dir
from callsvc.errors import CallsvcError, ConfigurationError, MissingPart
from callsvc.serve import part as parts
from callsvc.serve.database import EmbeddedDatabase
from callsvc.serve.part import Life, Part, Patience, before_exec
from callsvc.store.embedded.ballast import MB, Ballast
from callsvc.store.embedded.cluster import OWNER, Launch
from tests.support.service import runs

pytestmark = pytest.mark.call

QUICK = Patience(first_s=0.05, most_s=0.2, well_s=3600, hung_s=0.3, look_s=0.1)
STAY = "import time; time.sleep(600)"


class Stage:
    """A life under observation, in a directory of its own."""

    def __init__(self, tmp_path: Path, program: str, **options: object) -> None:
        self.heard: list[tuple[str, int | None]] = []
        self.fatal: list[CallsvcError] = []
        self.hurry = asyncio.Event()
        self.answers = True

        async def launch() -> Launch:
            return Launch([sys.executable, "-c", program], dict(os.environ), tmp_path, before_exec())

        async def ready() -> bool:
            return self.answers

        part = Part("thing", **{"launch": launch, "ready": ready, **options})  # type: ignore[arg-type]
        self.life = Life(
            part,
            tmp_path / "log",
            QUICK,
            lambda _, what, code: self.heard.append((what, code)),
            self.fatal.append,
        )

    async def until(self, *wanted: tuple[str, int | None]) -> None:
        while not set(wanted) <= set(self.heard):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def alive(stage: Stage) -> AsyncIterator[Stage]:
    task = asyncio.create_task(stage.life.run())
    try:
        yield stage
    finally:
        stage.hurry.set()
        await stage.life.stop(stage.hurry)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_dies_is_started_again_each_time_a_little_later(tmp_path: Path) -> None:
    async with alive(Stage(tmp_path, "import sys; print('here'); sys.exit(7)")) as stage:
        while stage.life.starts < 4:
            await asyncio.sleep(0.01)
    assert stage.heard.count(("died", 7)) >= 3
    assert (tmp_path / "log").read_text().count("here") >= 3
    assert stage.fatal == []


async def test_ready_is_said_after_each_start_and_not_before_it_answers(tmp_path: Path) -> None:
    async with alive(Stage(tmp_path, STAY)) as stage:
        await stage.until(("ready", None))
        stage.answers = False
        assert stage.life.process is not None
        stage.life.process.kill()
        await stage.until(("died", -9))
        while stage.life.starts < 2:
            await asyncio.sleep(0.01)
        assert not stage.life.ready.is_set()
        stage.answers = True
        await stage.life.ready.wait()
    assert stage.heard == [("ready", None), ("died", -9), ("ready", None)]


@pytest.mark.parametrize(("code", "kind"), [(3, ConfigurationError), (4, MissingPart)])
async def test_a_first_start_that_cannot_work_is_fatal_with_its_own_words(
    tmp_path: Path, code: int, kind: type[CallsvcError]
) -> None:
    program = (
        f"import sys; print('{{\"event\": 1}}'); "
        f"print('Fel: porten är tagen\\nGör så här: ta en annan', file=sys.stderr); sys.exit({code})"
    )
    stage = Stage(tmp_path, program)
    stage.answers = False
    async with alive(stage):
        while not stage.fatal:
            await asyncio.sleep(0.01)
    # Whoever tells it puts the labels before it: once.
    (fatal,) = stage.fatal
    assert (type(fatal), fatal.message, fatal.hint) == (kind, "porten är tagen", "ta en annan")


async def test_what_has_once_been_ready_is_never_fatal(tmp_path: Path) -> None:
    async with alive(Stage(tmp_path, "import sys, time; time.sleep(0.5); sys.exit(3)")) as stage:
        await stage.until(("ready", None), ("died", 3))
    assert stage.fatal == []


async def test_a_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    tries = 0

    async def launch() -> Launch:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError("no space left on device")
        return Launch([sys.executable, "-c", STAY], dict(os.environ), tmp_path, before_exec())

    async with alive(Stage(tmp_path, STAY, launch=launch)) as stage:
        await stage.until(("ready", None))
    assert stage.heard == [("failed", None), ("failed", None), ("ready", None)]


async def test_what_no_longer_answers_is_ended_and_started_again(tmp_path: Path) -> None:
    reachable = True

    async def answers() -> bool:
        return reachable

    async with alive(Stage(tmp_path, STAY, alive=answers)) as stage:
        await stage.until(("ready", None))
        reachable = False
        await stage.until(("hung", None), ("died", -9))
        reachable = True
        while stage.life.starts < 2:
            await asyncio.sleep(0.01)


async def test_what_has_nobody_to_ask_is_left_alone(tmp_path: Path) -> None:
    async with alive(Stage(tmp_path, STAY)) as stage:
        await stage.until(("ready", None))
        stage.answers = False
        await asyncio.sleep(4 * QUICK.hung_s)
    assert stage.heard == [("ready", None)]


WAITS = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
signal.signal(signal.SIGINT, lambda *_: (print("ended", flush=True), sys.exit(0)))
print("up", flush=True)
while True: time.sleep(0.05)
"""


async def says(log: Path, word: str) -> None:
    while not log.exists() or word not in log.read_text():
        await asyncio.sleep(0.01)


async def test_it_is_asked_to_stop_and_given_the_time_it_takes_until_somebody_hurries(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WAITS, stop_steps=((signal.SIGTERM, None), (signal.SIGINT, 30.0)))
    async with alive(stage):
        await says(tmp_path / "log", "up")
        stopping = asyncio.create_task(stage.life.stop(stage.hurry))
        await says(tmp_path / "log", "asked")
        assert not stopping.done()
        stage.hurry.set()
        await stopping
        await says(tmp_path / "log", "ended")


async def test_what_does_not_stop_in_its_time_is_killed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WAITS, stop_steps=((signal.SIGTERM, 0.3),))
    async with alive(stage):
        await says(tmp_path / "log", "up")
        await stage.life.stop(stage.hurry)
        assert stage.life.process is not None
        assert stage.life.process.returncode == -signal.SIGKILL


async def test_what_it_has_started_itself_ends_with_it(tmp_path: Path) -> None:
    program = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STAY!r}]); print(p.pid, flush=True); p.wait()"
    async with alive(Stage(tmp_path, program)) as stage:
        while not (tmp_path / "log").read_text().strip() if (tmp_path / "log").exists() else True:
            await asyncio.sleep(0.01)
        grandchild = int((tmp_path / "log").read_text().split()[0])
        assert stage.life.process is not None
        stage.life.process.kill()
        while runs(grandchild):
            await asyncio.sleep(0.01)


def test_a_log_that_has_grown_long_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    parts.keep_short(log)
    log.write_text("x" * 100)
    parts.keep_short(log)
    assert log.exists()
    monkeypatch.setattr(parts, "LOG_BYTES", 99)
    with log.open("a") as writer:
        parts.keep_short(log)
        writer.write("y")
    assert log.read_text() == "y"
    assert (tmp_path / "log.1").read_text() == "x" * 100


@pytest.mark.fault
@pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT MOUNTS A SMALL DISK: full disk not tested")
async def test_a_database_that_died_of_a_full_disk_comes_back_on_the_ballast(tmp_path: Path) -> None:
    disk = tmp_path / "data"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=260m", "tmpfs", str(disk)]
    if (await asyncio.to_thread(subprocess.run, mount, capture_output=True, check=False)).returncode != 0:
        pytest.skip("A SMALL DISK CANNOT BE MOUNTED HERE: full disk not tested")
    heard: list[tuple[str, int | None]] = []
    try:
        directory = data_dir.prepare(disk)
        database = EmbeddedDatabase(directory, lambda _, what, code: heard.append((what, code)))
        database.ballast = Ballast(directory / "ballast", enough=32 * MB)
        assert database.ballast.lay()
        life = Life(
            database.part(),
            tmp_path / "log",
            QUICK,
            lambda _, what, code: heard.append((what, code)),
            lambda error: heard.append((str(error), None)),
        )
        running = asyncio.create_task(life.run())
        await life.ready.wait()
        with psycopg.connect(database.conninfo, autocommit=True) as conn:
            conn.execute("create table kept as select generate_series(1, 1000)")
            assert conn.info.user == OWNER
        (disk / "filler").write_bytes(b"\0" * (shutil.disk_usage(disk).free - 4096))
        assert life.process is not None
        os.kill(life.process.pid, signal.SIGKILL)
        while heard.count(("ready", None)) < 2:
            await asyncio.sleep(0.05)
        assert ("disk_full", None) in heard
        assert not database.ballast.laid
        with psycopg.connect(database.conninfo) as conn:
            assert conn.execute("select count(*) from kept").fetchone() == (1000,)
        hurry = asyncio.Event()
        await life.stop(hurry)
        await running
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(disk)], check=True)
