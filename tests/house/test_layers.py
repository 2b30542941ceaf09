"""Imports go one way, and the linter that says so can say no."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import ROOT, pyproject

pytestmark = pytest.mark.house

LINT = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-cache"],
        cwd=root, env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_import_goes_the_wrong_way() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("guilty", "line"),
    [
        ("audio/guilty.py", "import models"),
        ("models/guilty.py", "import callsvc.errors"),
        ("callsvc/store/guilty.py", "import callsvc.telephony.tokens"),
        ("callsvc/recordings/guilty.py", "import callsvc.telephony.tokens"),
        ("callsvc/errors.py", "import callsvc.store.database"),
    ],
)
def test_an_import_the_wrong_way_is_found(tmp_path: Path, guilty: str, line: str) -> None:
    for package in ("audio", "models", "callsvc"):
        leave_out = shutil.ignore_patterns(
            "ui", "static", "__pycache__", "*.onnx", "*.npz", "*.wav", "*.flac"
        )
        shutil.copytree(ROOT / package, tmp_path / package, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / guilty).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert f"{guilty.removesuffix('.py').replace('/', '.')} -> {line.removeprefix('import ')}" in done.stdout


def test_the_architecture_page_draws_the_layers_that_the_linter_holds() -> None:
    contracts = {contract["id"]: contract for contract in pyproject()["tool"]["importlinter"]["contracts"]}
    page = (ROOT / "docs" / "explain" / "architecture.md").read_text()
    drawn = re.search(r"## The layers.*?```text\n(.*?)```", page, re.DOTALL)
    assert drawn is not None
    words = [set(re.findall(r"[a-z_]+", line.split("   ", 1)[0])) for line in drawn.group(1).splitlines()]
    held = [set(re.findall(r"[a-z_]+", layer)) for layer in contracts["service"]["layers"]]
    held += [{layer} for layer in contracts["packages"]["layers"][1:]]
    assert [line for line in words if line] == held
