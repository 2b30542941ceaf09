"""One rule for strokes, whoever asks."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor import BLOCK, Suppressor
from audio.suppressor.strokes import RELEASE, Rule, strokes
from models.suppressor import stream
from tests.support.networks import Constant
from tests.support.streams import noise

pytestmark = pytest.mark.quiet


def keys(peaks: dict[int, float], count: int = 100) -> list[float]:
    return [peaks.get(n, 0.02) for n in range(count)]


def test_a_peak_is_a_stroke_from_one_half_on() -> None:
    assert strokes(keys({20: 0.5, 60: 0.49})) == [20]


def test_of_a_hill_only_the_top_counts() -> None:
    assert strokes(keys({20: 0.6, 21: 0.9, 22: 0.7})) == [21]


def test_a_stroke_is_not_counted_twice() -> None:
    assert strokes(keys({20: 0.9, 23: 0.9})) == [20]
    assert strokes(keys({20: 0.9, 24: 0.9})) == [20, 24]


def test_a_weaker_peak_soon_after_is_the_key_coming_up_again() -> None:
    assert strokes(keys({20: 0.9, 29: 0.7})) == [20]
    assert strokes(keys({20: 0.9, 29: 0.8})) == [20, 29], "the next key is about as strong"
    assert strokes(keys({20: 0.9, 20 + RELEASE: 0.7})) == [20, 20 + RELEASE], "and no key is held that long"


def test_the_last_block_can_hold_a_stroke_and_silence_holds_none() -> None:
    assert strokes(keys({99: 0.9})) == [99]
    assert strokes([]) == strokes(keys({})) == []


def test_a_lower_peak_is_a_suspicion_and_changes_nothing_for_the_next() -> None:
    rule = Rule()
    assert rule.peak(10, 0.0, 0.3, 0.0) == 0.3
    assert rule.peak(12, 0.0, 0.9, 0.0) == 0.9
    assert rule.peak(30, 0.0, 0.09, 0.0) == 0.0
    assert rule.last == 12


def test_a_call_finds_the_strokes_that_the_rule_finds_in_the_whole() -> None:
    rng = np.random.default_rng(5)
    said = rng.random(400).astype(np.float32) ** 4

    class Scripted(Constant):
        def step(self, features, state):  # type: ignore[no-untyped-def]
            given = super().step(features, state)
            given.keys[:] = said[self.steps - 1] if self.steps <= 400 else 0.0
            return given

    suppressor = Suppressor(Scripted(voice=0.9))
    suppressor.process(noise(4.0, 0.01)[: 400 * BLOCK])
    expected = strokes(said.tolist())
    assert len(expected) > 20
    found = [stroke.at_samples / BLOCK for stroke in suppressor.strokes]
    assert len(found) == len(expected)
    assert np.abs(np.array(found) + 0.5 - np.array(expected)).max() <= 0.6
    assert np.allclose(stream.strokes(said), (np.array(expected) - 0.5) / 100, atol=1e-9)
