"""The wheel holds the whole product, pages and weights included, and nothing besides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.house import ROOT, run

pytestmark = [pytest.mark.house, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("callsvc-*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "installed")
        return archive


@pytest.fixture(scope="module")
def content(wheel: zipfile.ZipFile) -> set[str]:
    return set(wheel.namelist())


@pytest.mark.parametrize(
    "path",
    [
        "audio/suppressor/__init__.py",
        "callsvc/web/static/index.html",
        "callsvc/store/migrations/0001_first.sql",
        "callsvc/locale/sv.toml",
        "callsvc/py.typed",
        "callsvc/demo/scene/scene.toml",
        "models/suppressor/weights.onnx",
        "models/recogniser/demo/model.bin",
        "models/recogniser/demo/checksums.json",
    ],
)
def test_the_wheel_holds(content: set[str], path: str) -> None:
    assert path in content


def test_the_pages_are_built_and_their_sources_are_left_out(content: set[str]) -> None:
    assert any(path.startswith("callsvc/web/static/assets/") and path.endswith(".js") for path in content)
    assert not any(path.startswith("callsvc/web/ui/") for path in content)


def test_the_wheel_holds_no_tests_no_training_and_nothing_of_the_workshop(content: set[str]) -> None:
    tops = {Path(path).parts[0] for path in content}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"audio", "models", "callsvc"}
    assert not any("/training/" in path or "__pycache__" in path for path in content)


def test_what_is_installed_works_without_the_source_tree(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    installed = Path(str(wheel.filename)).parent / "installed"
    environment = {**os.environ, "PYTHONPATH": str(installed), "CALLSVC_DATA_DIR": str(tmp_path / "data")}
    command = ["-m", "callsvc", "doctor", "--json"]
    said = json.loads(run(sys.executable, *command, cwd=tmp_path, env=environment).stdout)
    found = {finding["check"]: finding for finding in said["findings"]}
    assert found["suppressor"]["state"] == found["screens"]["state"] == found["settings"]["state"] == "good"
    where = "import callsvc, models, audio; print(callsvc.__file__, models.__file__, audio.__file__)"
    files = run(sys.executable, "-c", where, cwd=tmp_path, env=environment).stdout.split()
    assert [Path(file).parents[1] for file in files] == [installed] * 3
