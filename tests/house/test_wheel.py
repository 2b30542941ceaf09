"""The wheel holds the whole product, pages and weights included, and nothing besides."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.house import ROOT

pytestmark = [pytest.mark.house, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("callsvc-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


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
