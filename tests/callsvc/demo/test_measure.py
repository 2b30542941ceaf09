"""How the strokes are judged, on sounds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsvc.demo import measure
from callsvc.demo.measure import RATE

pytestmark = pytest.mark.call


def _noise(seconds: float, dbfs: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10 ** (dbfs / 20), int(seconds * RATE))


def _clicked(at: float, dbfs: float, length_s: float = 0.010) -> np.ndarray:
    sound = _noise(3, -70)
    start = int(at * RATE)
    sound[start : start + int(length_s * RATE)] += _noise(length_s, dbfs, 2)
    return sound


def test_a_stroke_above_the_threshold_is_audible_and_one_below_is_not() -> None:
    loud = measure.strokes(_clicked(1.0, -40), [1.0], [], -66.0)
    faint = measure.strokes(_clicked(1.0, -64), [1.0], [], -66.0)
    assert (loud.judged, loud.audible_pct, loud.audible_at_s) == (1, 100.0, (1.0,))
    assert (faint.judged, faint.audible_pct) == (1, 0.0)
    assert loud.level_db == pytest.approx(-40, abs=1.5)


def test_a_louder_room_hides_more_but_a_quiet_one_no_less_than_minus_sixty() -> None:
    sound = _clicked(1.0, -50)
    assert measure.strokes(sound, [1.0], [], -45.0).audible_pct == 0.0
    assert measure.strokes(_clicked(1.0, -62), [1.0], [], -90.0).audible_pct == 0.0


def test_strokes_under_speech_are_not_judged() -> None:
    found = measure.strokes(_clicked(1.0, -40), [0.5, 1.0], [(0.9, 1.5)], -66.0)
    assert found.judged == 1
    assert found.audible_pct == 0.0


def test_a_loud_stroke_does_not_count_for_the_one_before_it() -> None:
    found = measure.strokes(_clicked(1.05, -30), [1.0, 1.05], [], -66.0)
    assert found.audible_at_s == (1.05,)


def test_without_strokes_nothing_is_judged() -> None:
    assert measure.strokes(_noise(1, -60), [], [], -66.0).judged == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(-700, 700))
def test_the_lag_between_two_files_is_found_to_the_sample(shift: int) -> None:
    source = _noise(2.0, -20)
    heard = np.roll(source, shift) * -0.4
    assert measure.lag_samples(source, heard, 800) == pytest.approx(shift, abs=0.1)


@given(st.integers(-50, 50))
def test_a_file_moved_by_its_lag_lies_on_its_source(shift: int) -> None:
    source = _noise(0.5, -20)
    moved = np.concatenate([np.zeros(shift), source]) if shift >= 0 else source[-shift:]
    back = measure.advanced(moved, shift, len(source))
    keep = slice(60, len(source) - 60)
    assert len(back) == len(source)
    assert measure.similarity(source[keep], back[keep]) == pytest.approx(1.0)


def test_silence_is_like_nothing() -> None:
    assert measure.similarity(_noise(1, -20), np.zeros(RATE)) == 0.0


def test_words_are_alike_though_a_frame_was_left_out_and_not_when_others_are_spoken() -> None:
    source = _noise(3, -25, 5)
    spliced = np.concatenate([source[: RATE + RATE // 2], source[RATE + RATE // 2 + 320 :], np.zeros(320)])
    over = measure.words(source, spliced, [(0.2, 1.4), (1.7, 2.8)])
    assert over.similarity > 0.95
    assert over.spread_s == pytest.approx(0.02, abs=0.001)
    assert measure.words(source, _noise(3, -25, 6), [(0.2, 1.4)]).similarity < 0.3
