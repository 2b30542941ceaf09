"""Set-up from a bare machine: it does nothing twice, repairs what was cut off, and names what it may not install."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.house import ROOT, run

pytestmark = pytest.mark.house


def wheel(folder: Path, name: str, version: str) -> str:
    """A package without content, and its hash."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Clone:
    """A fresh clone of the set-up with a small lock, and a folder of packages in place of the network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages = root / "packages"
        (root / "deploy" / "lock").mkdir(parents=True)
        self.packages.mkdir()
        shutil.copy(ROOT / "deploy" / "bootstrap.py", root / "deploy")
        (root / "pyproject.toml").write_text("")

    def lock(self, text: str) -> None:
        (self.root / "deploy" / "lock" / "lock.txt").write_text(text)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
        }
        return run(sys.executable, self.root / "deploy" / "bootstrap.py", "lock", env=environment)

    def version(self, name: str) -> str:
        """The version that is installed; empty when it cannot be imported."""
        python = self.root / ".venv" / "bin" / "python"
        return run(python, "-c", f"import {name}; print({name}.VERSION)").stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_it_makes_the_environment_once_and_the_second_run_does_nothing(clone: Clone) -> None:
    clone.lock(wheel(clone.packages, "alpha", "1.0"))
    first = clone.set_up()
    assert first.returncode == 0, first.stderr
    assert "installing 1 Python packages" in first.stdout
    assert clone.version("alpha") == "1.0"

    shutil.rmtree(clone.packages)  # nothing could be installed any more
    second = clone.set_up()
    assert (second.returncode, second.stdout) == (0, "")


def test_a_changed_lock_is_followed_and_what_it_no_longer_names_goes(clone: Clone) -> None:
    clone.lock(wheel(clone.packages, "alpha", "1.0") + wheel(clone.packages, "beta", "1.0"))
    assert clone.set_up().returncode == 0
    clone.lock(wheel(clone.packages, "alpha", "2.0"))
    assert clone.set_up().returncode == 0
    assert clone.version("alpha") == "2.0"
    assert clone.version("beta") == ""


def test_a_package_that_is_not_the_one_of_the_lock_stops_it_and_the_next_run_begins_afresh(
    clone: Clone,
) -> None:
    right = wheel(clone.packages, "alpha", "1.0")
    clone.lock(right[:-5] + "0000\n")
    stopped = clone.set_up()
    assert stopped.returncode == 1
    assert "HASHES" in stopped.stderr
    assert json.loads((clone.root / ".venv" / ".setup.json").read_text())["unfinished"] is True

    left_over = clone.root / ".venv" / "left-over"
    left_over.touch()
    clone.lock(right)
    repaired = clone.set_up()
    assert repaired.returncode == 0
    assert "afresh" in repaired.stdout
    assert clone.version("alpha") == "1.0"
    assert not left_over.exists()


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "deploy" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module
    spec.loader.exec_module(module)
    return module


def test_without_the_right_to_install_it_names_the_command(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = bootstrap.DebianPackage("quiet-keyboard", ("/nowhere/*",))
    monkeypatch.setitem(bootstrap.PURPOSES, "run", bootstrap.Purpose("run", (missing,)))
    monkeypatch.setattr(bootstrap, "as_root", lambda: None)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "run"])
    assert bootstrap.main() == 4
    assert "sudo apt-get update && sudo apt-get install quiet-keyboard" in capsys.readouterr().err


def test_a_package_that_is_there_is_not_asked_for(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "as_root", lambda: pytest.fail("asked for the right to install"))
    bootstrap.install_debian([bootstrap.DebianPackage("base-files", ("/etc/debian_version", "/nowhere/*"))])


def test_an_unknown_purpose_is_wrong_usage() -> None:
    assert run(sys.executable, ROOT / "deploy" / "bootstrap.py", "fly").returncode == 2


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    targets = {
        line.split(":")[0]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line[:1].isalpha() and ":" in line and not line.split(":")[1].startswith("=")
    }
    listed = run("make", "help").stdout
    assert {"demo", "run", "test", "check", "bench", "docs", "clean", "lock"} <= targets
    assert targets <= set(listed.split())


def test_a_part_of_the_tests_that_does_not_exist_is_named_as_wrong() -> None:
    done = run("make", "test", "PART=nonsense")
    assert done.returncode == 2
    assert "PART is one of: call quiet media evidence transcripts screens house" in done.stderr
