"""The report: one page, its figures in a file, and an honest word at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from callsvc.demo.report import Proof, Report, page
from callsvc.types import TranscriptState

pytestmark = pytest.mark.call

GOOD = Report(
    call_id="00000000-0000-4000-8000-000000000000",
    length_s=31.0,
    strokes=104,
    strokes_typed=106,
    strokes_judged=65,
    audible_before_pct=100.0,
    audible_after_pct=0.0,
    level_before_db=-38.2,
    level_after_db=-71.0,
    detour_delay_ms=79.0,
    whole_delay_ms=83.0,
    added_delay_ms=20.0,
    declared_delay_ms=20.0,
    similarity=0.97,
    caller_unchanged=True,
    tracks=["caller.rx", "operator.rx", "operator.tx"],
    sealed=True,
    verified=True,
    transcript_state="done",
    transcript_words=41,
    transcript_said=8,
    transcript_right=7,
    model="quiet-1",
    passed_pct=0.0,
    service=Proof(104, -38.0, -72.0, 98.0, 0.0, False),
    seconds=55.0,
)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"passed_pct": 5.0}, "demo.fault.degraded"),
        ({"audible_after_pct": 30.0}, "demo.fault.audible"),
        ({"level_after_db": -45.0}, "demo.fault.level"),
        ({"similarity": 0.3}, "demo.fault.words"),
        ({"caller_unchanged": False}, "demo.fault.caller"),
        ({"sealed": False}, "demo.fault.sealed"),
        ({"verified": False}, "demo.fault.verified"),
        ({"transcript_state": "failed"}, "demo.fault.transcript"),
    ],
)
def test_each_thing_that_can_go_wrong_is_said_and_spoils_the_whole(
    change: dict[str, Any], fault: str
) -> None:
    assert GOOD.faults() == []
    bad = replace(GOOD, **change)
    assert bad.faults() == [fault]
    assert json.loads(bad.json())["ok"] is False
    assert page(bad, "var/demo") != page(GOOD, "var/demo")


def test_the_file_holds_the_figures_under_their_promised_names() -> None:
    content = json.loads(GOOD.json())
    promised = {
        "call_id", "length_s", "strokes", "audible_before_pct", "audible_after_pct", "level_before_db",
        "level_after_db", "added_delay_ms", "declared_delay_ms", "tracks", "sealed", "verified",
        "transcript_words", "transcript_state", "transcript_right", "model",
    }  # fmt: skip
    assert promised <= content.keys()
    assert content["ok"] is True


@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize("state", [*(state.value for state in TranscriptState), "none"])
def test_it_is_one_page_in_either_language_whatever_became_of_the_transcript(state: str, lang: str) -> None:
    lines = "\n".join(page(replace(GOOD, transcript_state=state), "var/demo", lang)).splitlines()
    assert len(lines) < 45
    assert max(map(len, lines)) <= 110
    assert any(GOOD.call_id in line for line in lines)


def test_a_busy_moment_is_told_but_spoils_nothing_when_the_caller_heard_no_typing() -> None:
    busy = replace(GOOD, passed_pct=0.4, service=replace(GOOD.service, degraded=True))
    assert busy.faults() == []
    assert any("0,4 %" in line for line in page(busy, "var/demo"))


def test_without_a_model_the_page_says_how_to_get_one() -> None:
    shown = "\n".join(page(replace(GOOD, transcript_state="waiting_model"), "var/demo"))
    assert "väntar på modell" in shown
    assert "transcripts.model_dir" in shown
