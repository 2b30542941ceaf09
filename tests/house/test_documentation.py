"""What the documentation says of the code is what the code says."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from callsvc import cli
from callsvc.config import Settings
from callsvc.demo.report import Report
from callsvc.types import EventKind
from tests.support.house import ROOT, run

pytestmark = pytest.mark.house

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


def test_settings_commands_and_metrics_are_listed_as_the_code_declares_them() -> None:
    done = run(sys.executable, "docs/pages.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr + "run: make pages"


def test_every_kind_of_event_has_its_fields_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", page, re.MULTILINE)) == {
        kind.value for kind in EventKind
    }


def test_every_figure_of_the_demonstration_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "files.md").read_text().split("| key | means |")[1]
    explained = {
        word
        for line in page.splitlines()
        if line.startswith("|")
        for word in re.findall(r"`([a-z_]+)`", line.split("|")[1])
    }
    assert explained == {field.name for field in fields(Report)} | {"ok"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_is_there_with_its_options(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`(?:[^`\n]*/)?callsvc ([a-z][^`\n]*)`", text)
    named += re.findall(r"^    (?:.*/| *)callsvc ([a-z].*)", text, re.MULTILINE)
    # Texts that are hashed begin with the name, too.
    assert [one for one in named if not one.endswith(" 1") and not _can_be_given(one)] == []


def _can_be_given(command: str) -> bool:
    """Whether the command line takes these words; what stands behind a pipe, a comment or two spaces is none of it."""
    words = shlex.split(re.split(r" [|>#─]|  ", command)[0])
    found: Any = typer.main.get_command(cli.app)
    context = found.make_context("callsvc", [], resilient_parsing=True)
    while words and hasattr(found, "get_command"):
        found = found.get_command(context, words.pop(0))
    if found is None:
        return False
    known = {"--help"}.union(*(one.opts + one.secondary_opts for one in found.params))
    return {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_is_named_is_there(page: Path) -> None:
    groups = {
        name: field.annotation.model_fields
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    named = re.findall(r"`\[?([a-z]+)(?:\.|\] )([a-z0-9_]+)\b[^`(]*`", page.read_text())
    assert [(one, key) for one, key in named if one in groups and key not in groups[one]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_module_of_ours_that_is_named_is_there(page: Path) -> None:
    text = page.read_text()
    files = re.findall(r"`((?:deploy|callsvc|benchmarks|tests|audio|docs)/[A-Za-z0-9_./-]+)", text)
    modules = re.findall(r"python -m ((?:callsvc|benchmarks|models)\.[a-z_.]+[a-z])", text)
    files += [module.replace(".", "/") for module in modules]
    assert [one for one in files if not (ROOT / one).exists() and not (ROOT / f"{one}.py").exists()] == []


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    build: list[str | Path] = ["-W", "--keep-going", "-q", "-b", "html", "docs", tmp_path / "html"]
    done = run(sys.executable, "-m", "sphinx", *build)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "html" / "explain" / "architecture.html").is_file()
