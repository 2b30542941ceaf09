"""The data directory: made, recognised, held by one service, and left alone when it is not ours to touch."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callsvc import data_dir
from callsvc.errors import ConfigurationError, DataDirBusy, DataDirTooNew

pytestmark = pytest.mark.call


def test_it_is_made_for_the_owner_alone_and_taken_again(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path / "a" / "b")
    assert sorted(p.name for p in path.iterdir()) == sorted(["VERSION", *data_dir.PARTS])
    assert {p.stat().st_mode & 0o077 for p in [path, *path.iterdir()]} == {0}
    assert data_dir.prepare(path) == path


@pytest.mark.fault
def test_one_of_a_newer_version_is_refused_and_nothing_in_it_changes(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text(f"{data_dir.LAYOUT + 1}\n")
    with pytest.raises(DataDirTooNew, match=f"has layout {data_dir.LAYOUT + 1}; .* knows {data_dir.LAYOUT}"):
        data_dir.prepare(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["VERSION"]


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "1.5"])
def test_a_version_that_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "VERSION").write_text(text)
    with pytest.raises(ConfigurationError, match="no version number"):
        data_dir.prepare(tmp_path)


def test_a_place_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/data cannot be used"):
        data_dir.prepare(tmp_path / "file" / "data")


def test_two_services_do_not_run_on_one_directory(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    held = data_dir.lock(path)
    with pytest.raises(DataDirBusy):
        data_dir.lock(path)
    os.close(held)
    os.close(data_dir.lock(path))


def test_a_service_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    script = "import sys, time, pathlib\nfrom callsvc import data_dir\n"
    script += "data_dir.lock(pathlib.Path(sys.argv[1]))\nprint('held', flush=True)\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(DataDirBusy):
            data_dir.lock(path)
        other.kill()
    os.close(data_dir.lock(path))


def test_a_secret_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: data_dir.secret(path, "mqtt"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) >= 32
    assert [p.name for p in (path / "keys").iterdir()] == ["mqtt"]
    assert (path / "keys" / "mqtt").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_empty_opens_nothing(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    (path / "keys" / "mqtt").write_text("\n")
    with pytest.raises(ConfigurationError, match="keys/mqtt is empty"):
        data_dir.secret(path, "mqtt")


def test_secrets_that_lie_open_are_closed_at_the_next_start(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    for name in ("mqtt", "installation.json", "signing-1.pub"):
        (path / "keys" / name).write_text("x")
        (path / "keys" / name).chmod(0o644)
    (path / "keys" / "old").mkdir(0o755)

    data_dir.prepare(path)

    modes = {file.name: file.stat().st_mode & 0o777 for file in (path / "keys").iterdir()}
    assert modes == {"mqtt": 0o600, "installation.json": 0o600, "signing-1.pub": 0o644, "old": 0o755}


def test_addresses_are_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path)
    assert data_dir.addresses(path) == {}
    data_dir.write_addresses(path, {"web": {"port": 1}})
    assert data_dir.addresses(path) == {"web": {"port": 1}}
    (path / "run" / "ports.json").write_text("{half")
    assert data_dir.addresses(path) == {}
