"""What the documentation says of the code is what the code says."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

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


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    build: list[str | Path] = ["-W", "--keep-going", "-q", "-b", "html", "docs", tmp_path / "html"]
    done = run(sys.executable, "-m", "sphinx", *build)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "html" / "explain" / "architecture.html").is_file()
