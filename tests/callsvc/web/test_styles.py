"""The style sheets: each class is one sheet's own, so that what is changed there changes nothing elsewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import pytest

from tests.callsvc.web.test_description import UI

pytestmark = pytest.mark.screens


def owned_twice(sheets: Mapping[str, str]) -> dict[str, list[str]]:
    """Classes that more than one sheet styles as such; what stands inside of something else belongs to that."""
    owners: dict[str, set[str]] = defaultdict(set)
    for name, css in sheets.items():
        rules = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+)\{", rules):
            for one in selectors.split(","):
                bare = re.fullmatch(r"\s*\.([a-z][\w-]*)(::?[\w-]+(\(.*\))?|\[.*\])*\s*", one)
                if bare:
                    owners[bare[1]].add(name)
    return {name: sorted(sheets) for name, sheets in owners.items() if len(sheets) > 1}


def test_each_class_has_one_sheet() -> None:
    sheets = {path.name: path.read_text(encoding="utf-8") for path in (UI / "src/styles").glob("*.css")}
    assert len(sheets) > 5
    assert owned_twice(sheets) == {}


def test_a_class_with_two_sheets_is_found() -> None:
    two = {
        "a.css": ".card { top: 0; }",
        "b.css": "@media print { .card:hover, p { top: 1px; } } .x .card { top: 0; }",
    }
    assert owned_twice(two) == {"card": ["a.css", "b.css"]}
