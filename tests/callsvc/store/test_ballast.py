"""A full disk: the database stops, and comes back on the ballast with every committed row."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from callsvc.store.embedded.ballast import MB, Ballast
from callsvc.store.embedded.cluster import Cluster
from tests.support.database import start, stop

pytestmark = pytest.mark.call


@pytest.mark.fault
@pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT MOUNTS A SMALL DISK: full disk not tested")
def test_on_a_full_disk_the_ballast_brings_it_back_with_every_committed_row(
    seed: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=220m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("A SMALL DISK CANNOT BE MOUNTED HERE: full disk not tested")
    try:
        shutil.copytree(seed, disk / "data")
        one = Cluster(disk / "data", tmp_path / "run")
        ballast = Ballast(disk / "ballast", enough=32 * MB)
        assert ballast.lay()
        one.prepare()
        process = start(one, tmp_path / "log")
        one.ensure_database()
        kept = 0
        with psycopg.connect(one.conninfo(), autocommit=True) as conn:
            conn.execute("create table t (n int, filler text)")
            fill(disk, leave=24 * MB)
            with suppress(psycopg.OperationalError):
                for kept in range(1, 10_000):
                    conn.execute(
                        "insert into t select %s, repeat(md5(random()::text), 2000) from generate_series(1, 20)",
                        [kept],
                    )
            kept -= 1
        assert 0 < kept < 9_000
        fill(disk, leave=0)
        process.kill()
        process.wait()
        assert not starts(one, tmp_path / "log2"), "the disk is not as full as the test wants it"
        assert ballast.let_go()
        one.prepare()
        again = start(one, tmp_path / "log")
        with psycopg.connect(one.conninfo()) as conn:
            assert conn.execute("select count(distinct n) from t").fetchone() == (kept,)
        stop(one, again)
        for file in disk.glob("filler*"):
            file.unlink()
        assert ballast.lay()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int) -> None:
    """Fill the disk but for `leave` bytes."""
    file = disk / f"filler{len(list(disk.glob('filler*')))}"
    with file.open("wb", buffering=0) as output:
        while (room := shutil.disk_usage(disk).free - leave) > 0:
            try:
                output.write(b"\0" * min(room, 1 << 20))
            except OSError:
                break


def starts(one: Cluster, log: Path) -> bool:
    one._end_leftover()
    launch = one.launch()
    with log.open("wb") as output:
        process = subprocess.Popen(
            launch.command,
            env=dict(launch.environment),
            cwd=launch.directory,
            preexec_fn=launch.before_exec,
            stderr=output,
        )
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        if one.ready():
            stop(one, process)
            return True
        time.sleep(0.05)
    process.kill()
    process.wait()
    return False


def test_the_ballast_is_not_laid_where_it_would_take_the_last_room(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", enough=1 << 60)
    assert not ballast.lay()
    assert ballast.low()
    assert not (tmp_path / "ballast").exists()
    roomy = Ballast(tmp_path / "ballast", size=1 << 16, enough=0)
    assert roomy.lay()
    assert roomy.lay()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 1 << 16
    assert not roomy.let_go(low=0)
    assert roomy.let_go(low=1 << 60)
    assert not roomy.laid
