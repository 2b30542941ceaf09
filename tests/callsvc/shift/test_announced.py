"""What the caller was played is told from what the node noted: when, by whom, and whether to its end."""

from __future__ import annotations

from uuid import UUID

import pytest

from callsvc.shift.announced import Announced, announced
from callsvc.store.call_notes import CallNote

pytestmark = pytest.mark.screens

CALL = UUID(int=1)


def note(at_ms: int, state: str, name: str = "wait", language: str = "sv", by: str = "operator") -> CallNote:
    what = {"announcement": name, "version": "1", "language": language, "state": state, "by": by}
    return CallNote(CALL, at_ms, "announcement", what)


def test_each_is_told_once_with_when_by_whom_and_whether_it_was_cut_off() -> None:
    found = announced(
        [
            note(0, "begun", "recording", by="line"),
            note(100, "ended", "recording", by="line"),
            CallNote(CALL, 150, "mask", {"on": True}),
            note(200, "begun", language="ar"),
            note(300, "stopped", language="ar"),
            note(400, "begun"),
            note(500, "broken_off"),
            note(600, "begun"),
            note(700, "begun", by="service"),
            note(800, "stopped", by="service"),
        ]
    )
    assert found == [
        Announced("recording", "1", "sv", 0, "line", cut_off=False),
        Announced("wait", "1", "ar", 200, "operator", cut_off=True),
        Announced("wait", "1", "sv", 400, "operator", cut_off=True),
        Announced("wait", "1", "sv", 600, "operator", cut_off=False),
        Announced("wait", "1", "sv", 700, "service", cut_off=True),
    ]


def test_an_end_without_its_beginning_is_nothing_and_an_older_note_was_the_operators() -> None:
    assert announced([note(5, "stopped"), CallNote(CALL, 9, "announcement", {"state": "ended"})]) == []
    (one,) = announced([CallNote(CALL, 9, "announcement", {"announcement": "wait", "state": "begun"})])
    assert one.by == "operator"
