"""Locks: every package has hashes, nothing has an address, and one version serves every purpose."""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.house import LOCKS, ROOT, canonical, locked, pyproject, python_files

pytestmark = pytest.mark.house


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_locked_package_has_a_version_and_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9][\w.-]*==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(
    "path",
    [
        *LOCKS,
        *(ROOT / name for name in ("callsvc/web/ui/package-lock.json", "callsvc/web/ui/.npmrc", "Makefile")),
    ],
    ids=lambda path: path.name,
)
def test_no_lock_names_an_address(path: Path) -> None:
    assert "://" not in re.sub(r'"url": "[^"]*"', "", path.read_text())


def test_the_lock_of_the_screens_leaves_addresses_out_and_has_hashes() -> None:
    lock = json.loads((ROOT / "callsvc/web/ui/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in entry and "integrity" in entry for entry in packages.values())


def test_a_package_has_the_same_version_in_every_lock() -> None:
    seen: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, versions in locked(lock).items():
            assert seen.setdefault(name, versions) == versions, f"{name} in {lock.name}"


def test_each_wider_lock_holds_the_narrower_one() -> None:
    by_name = {lock.stem: locked(lock) for lock in LOCKS}
    for narrow, wide in pairwise(["run", "dev", "bench"]):
        assert by_name[narrow].keys() <= by_name[wide].keys()


def declared(wishes: list[str]) -> set[str]:
    """The names of the packages; an extra stands for the package `<name>-<extra>`, as psycopg[pool] does."""
    names = set()
    for wish in wishes:
        name, extras = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", wish).groups("")  # type: ignore[union-attr]
        names |= {canonical(name), *(canonical(f"{name}-{extra}") for extra in extras.split(",") if extra)}
    return names


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_what_the_product_imports_it_also_declares() -> None:
    project = pyproject()["project"]
    allowed = declared(project["dependencies"]) | declared(project["optional-dependencies"]["desk"])
    provided = packages_distributions()
    own = {"audio", "models", "callsvc", *sys.stdlib_module_names}
    undeclared = {
        f"{name} in {path.relative_to(ROOT)}"
        for path in python_files("audio", "models", "callsvc")
        if "training" not in path.parts
        for name in imported(path) - own
        if not {canonical(package) for package in provided.get(name, [name])} & allowed
    }
    assert undeclared == set()


def test_every_declared_dependency_is_locked() -> None:
    project = pyproject()["project"]
    names = {canonical(re.split(r"[\[<>=!~; ]", wish)[0]) for wish in project["dependencies"]}
    assert names <= locked(ROOT / "deploy/lock/run.txt").keys()
