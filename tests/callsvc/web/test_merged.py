"""Two administrators at the same catalogue: what each of them changed is in the one that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from callsvc.web.merged import merge

pytestmark = pytest.mark.screens


def entries(*ids: str, **more: Any) -> dict[str, Any]:
    return {"list": [{"id": one, "sv": more.get(one, one)} for one in ids]}


def test_changes_at_different_places_are_both_there() -> None:
    base = {"version": "1", "zone": "x", **entries("a", "b", "c")}
    mine = {"version": "2", "zone": "x", **entries("a", "b", "c", a="Mitt")}
    theirs = {"version": "1", **entries("a", "ny", "c", c="Deras")}
    merged, both = merge(base, mine, theirs)
    assert merged == {"version": "2", **entries("a", "ny", "c", a="Mitt", c="Deras")}
    assert both == []


def test_what_both_changed_is_mine_and_is_told_and_what_one_took_away_of_the_others_work_stays() -> None:
    base = {"codecs": ["opus"], **entries("a", "b", "c")}
    mine = {"codecs": ["opus", "PCMA"], **entries("a", "c", a="Mitt", c="Mitt")}
    theirs = {"codecs": [], **entries("b", "c", b="Deras", c="Deras")}
    merged, both = merge(base, mine, theirs)
    assert merged == {"codecs": ["opus", "PCMA"], **entries("a", "b", "c", a="Mitt", b="Deras", c="Mitt")}
    assert sorted(both) == [("codecs",), ("list", 0), ("list", 1), ("list", 2, "sv")]


@pytest.mark.parametrize(
    ("mine", "theirs", "order"),
    [
        ("cab", "abc", "cab"),
        ("abc", "bca", "bca"),
        ("cab", "bca", "cab"),
        ("acb", "abcn", "acnb"),
        ("abxc", "abyc", "abxyc"),
    ],
)
def test_the_order_is_of_whoever_changed_it(mine: str, theirs: str, order: str) -> None:
    merged, both = merge(entries(*"abc"), entries(*mine), entries(*theirs))
    found = "".join(one["id"] for one in merged["list"])
    assert found == order
    assert both == []
