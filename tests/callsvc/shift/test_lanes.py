"""What was done in a call becomes stretches and points, whatever was left open."""

from __future__ import annotations

from typing import Any

import pytest

from callsvc.ids import new_id
from callsvc.shift.lanes import Done, lanes
from callsvc.store.call_notes import CallNote

pytestmark = pytest.mark.screens
CALL = new_id()


def note(at_ms: int, kind: str, **what: Any) -> CallNote:
    return CallNote(CALL, at_ms, kind, what)


def test_on_and_off_are_a_stretch_with_its_reason() -> None:
    noted = [
        note(4000, "mask", on=True, reason="private"),
        note(5000, "marker", marker="threat"),
        note(9000, "mask", on=False),
    ]
    assert lanes(noted, 20_000) == [
        Done("mask", 4000, 9000, "private"),
        Done("marker", 5000, 5000, "threat"),
    ]


def test_what_was_never_ended_lasts_until_the_call_does() -> None:
    assert lanes([note(4000, "hold", on=True)], 20_000) == [Done("hold", 4000, 20_000, "")]


def test_an_end_without_a_beginning_and_an_unknown_note_are_nothing() -> None:
    assert (
        lanes([note(1, "mute", on=False), note(2, "weather"), note(3, "announcement", state="ended")], 10)
        == []
    )


def test_a_second_beginning_ends_the_first() -> None:
    noted = [
        note(1000, "announcement", announcement="purpose", language="sv", state="begun"),
        note(3000, "announcement", announcement="purpose", language="ar", state="begun"),
        note(8000, "announcement", announcement="purpose", language="ar", state="ended", played_ms=5000),
    ]
    assert [(one.start_ms, one.end_ms, one.what) for one in lanes(noted, 9000)] == [
        (1000, 3000, "purpose sv"),
        (3000, 8000, "purpose ar"),
    ]
