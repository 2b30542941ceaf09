"""The demonstration call's scene: the same every time, labelled, and loud enough that its typing matters."""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import pytest

from callsvc.demo import composition, measure, sound
from callsvc.demo.composition import RATE, compose

pytestmark = pytest.mark.call

FOLDER = resources.files("callsvc.demo") / "scene"


@pytest.fixture(scope="module")
def scene() -> composition.Scene:
    return compose()


def test_the_same_samples_come_out_every_time(scene: composition.Scene) -> None:
    again = compose()
    assert np.array_equal(scene.operator, again.operator)
    assert np.array_equal(scene.caller, again.caller)
    assert scene.strokes_s == again.strokes_s


def test_the_call_lasts_half_a_minute_and_nothing_is_clipped(scene: composition.Scene) -> None:
    assert 25.0 <= scene.length_s <= 35.0
    assert len(scene.caller) == len(scene.operator)
    assert np.abs(scene.operator).max() < 0.95
    assert np.abs(scene.caller).max() < 0.95


def test_a_stroke_is_heard_at_each_labelled_time(scene: composition.Scene) -> None:
    heard = sound.resample(scene.operator, RATE, measure.RATE)
    found = measure.strokes(heard, scene.strokes_s, scene.speech_s, scene.room_dbfs)
    assert found.judged > 50
    assert found.audible_pct == 100.0
    # Half the way to the next stroke and a second beyond the last, there is none: the times are those of the presses.
    moved = [t + 2.5 for t in scene.strokes_s]
    assert measure.strokes(heard, moved, scene.speech_s, scene.room_dbfs).audible_pct < 90.0


def test_strokes_fall_in_pauses_and_under_speech_at_several_levels(scene: composition.Scene) -> None:
    under = [t for t in scene.strokes_s if any(a < t < b for a, b in scene.speech_s)]
    assert len(under) > 25
    assert len(scene.strokes_s) - len(under) > 50
    peaks = [
        20 * np.log10(np.abs(scene.operator[int(t * RATE) : int((t + 0.05) * RATE)]).max())
        for t in scene.strokes_s
        if t not in under
    ]
    assert np.percentile(peaks, 90) - np.percentile(peaks, 10) > 8.0


def test_the_caller_types_nothing_and_speaks_when_the_operator_is_silent(scene: composition.Scene) -> None:
    caller = sound.resample(scene.caller, RATE, measure.RATE)
    for t in scene.strokes_s:
        if any(a < t < b for a, b in scene.speech_s):
            at = int(t * measure.RATE)
            assert measure.loudest_dbfs(caller[at : at + 400]) < -50.0


def test_a_shorter_scene_is_the_beginning_of_the_whole_one(scene: composition.Scene) -> None:
    short = scene.cut(10.0)
    assert short.length_s == pytest.approx(10.0)
    assert np.array_equal(short.operator, scene.operator[: len(short.operator)])
    assert max(short.strokes_s) < 10.0
    assert all(b <= 10.0 for _, b in short.speech_s)


def test_every_file_that_ships_has_its_source_and_its_licence() -> None:
    origin = (FOLDER / "ORIGIN.md").read_text(encoding="utf-8")
    patterns = [p.replace("*", ".*") for p in re.findall(r"`((?:voices|keys)/[^`]+)`", origin)]
    files = [
        str(file.relative_to(str(FOLDER)))
        for part in ("voices", "keys")
        for file in (FOLDER / part).rglob("*.*")  # type: ignore[attr-defined]
    ]
    unnamed = [f for f in files if not f.endswith(".json") and not any(re.fullmatch(p, f) for p in patterns)]
    assert files
    assert unnamed == []
    assert "no proof of quality" in origin


def test_what_ships_is_small() -> None:
    assert sum(f.stat().st_size for f in FOLDER.rglob("*.*")) < 1_500_000  # type: ignore[attr-defined]
