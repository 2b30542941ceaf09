"""Proof: strokes found, and judged by the measure that a listener would use."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor import BLOCK, Engine, Suppressor
from tests.support.networks import Clicks, Constant
from tests.support.streams import Ear, clicks, noise

pytestmark = pytest.mark.quiet

AT = [1.0 + 0.23 * n for n in range(20)]


def test_strokes_are_found_where_they_are() -> None:
    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Clicks())
    suppressor.process(signal)
    found = [stroke.at_samples / 16000 for stroke in suppressor.strokes]
    assert len(found) == len(AT)
    assert np.abs(np.array(found) - np.array(AT)).max() < 0.004
    assert all(-40 < stroke.level_db < -20 for stroke in suppressor.strokes)


def test_what_is_taken_out_was_audible_before_and_is_not_after() -> None:
    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Clicks(gain=0.001))
    suppressor.process(signal)
    proof = suppressor.proof()
    assert (proof.strokes, proof.judged) == (20, 20)
    assert (proof.audible_before_pct, proof.audible_after_pct) == (100.0, 0.0)
    assert proof.level_before_db is not None
    assert proof.level_after_db is not None
    assert proof.level_before_db > -30
    assert proof.level_after_db < -70
    assert (proof.blocks_passed, proof.degraded, proof.latency_samples, proof.model) == (
        0,
        False,
        320,
        "clicks",
    )


def test_what_is_left_in_is_audible_after() -> None:
    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Clicks(gain=0.9))
    suppressor.process(signal)
    assert suppressor.proof().audible_after_pct == 100.0


@pytest.mark.parametrize(("floor", "audible"), [(0.0002, 100.0), (0.01, 0.0)])
def test_the_rooms_own_noise_decides_what_can_be_heard(floor: float, audible: float) -> None:
    signal = noise(7, floor) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Clicks(gain=0.1))
    suppressor.process(signal)
    proof = suppressor.proof()
    assert proof.judged == 20
    assert proof.audible_before_pct == 100.0
    assert proof.audible_after_pct == audible


def test_below_sixty_decibels_nothing_is_audible_however_still_the_room() -> None:
    signal = clicks(7, AT, level=0.1) + noise(7, 1e-6)
    suppressor = Suppressor(Clicks(gain=10 ** (-50 / 20)))
    suppressor.process(signal)
    assert suppressor.proof().audible_after_pct == 0.0


def test_strokes_under_speech_are_counted_and_not_judged() -> None:
    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Clicks(gain=0.9, voice=0.9))
    suppressor.process(signal)
    proof = suppressor.proof()
    assert (proof.strokes, proof.judged, proof.audible_after_pct) == (20, 0, None)


def test_a_window_ends_where_the_next_stroke_begins() -> None:
    """The second stroke of each pair is loud and let through; the first must not be blamed for it."""
    pairs = [1.0, 1.06, 2.0, 2.06, 3.0, 3.06]
    signal = noise(5, 0.0005) + clicks(5, pairs[::2], 0.1, 8) + clicks(5, pairs[1::2], 0.2, 8)

    class FirstOnly(Clicks):
        def step(self, features, state):  # type: ignore[no-untyped-def]
            said = super().step(features, state)
            self.turn = getattr(self, "turn", -1) + 1
            block = self.turn - 2
            said.keys[:] = 0.9 if any(int(t * 100) == block for t in pairs) else 0.0
            said.gains[:] = (
                0.0 if any(int(t * 100) - 2 <= block <= int(t * 100) + 3 for t in pairs[::2]) else 1.0
            )
            return said

    suppressor = Suppressor(FirstOnly())
    suppressor.process(signal)
    proof = suppressor.proof()
    assert proof.strokes == proof.judged == 6
    assert proof.audible_after_pct == 50.0


class Mistaken(Clicks):
    """Takes each stroke for a voice for so many blocks, and lets it through."""

    def __init__(self, blocks: int) -> None:
        super().__init__(gain=0.9)
        self.blocks, self.since = blocks, 10**6

    def step(self, features, state):  # type: ignore[no-untyped-def]
        said = super().step(features, state)
        self.since = 0 if said.state[0, 2] else self.since + 1
        said.voice[:] = 0.9 if self.since < self.blocks else 0.1
        return said


@pytest.mark.parametrize(("blocks", "judged"), [(6, 20), (15, 0)])
def test_a_stroke_that_is_taken_for_a_short_voice_is_judged_all_the_same(blocks: int, judged: int) -> None:
    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Mistaken(blocks))
    suppressor.process(signal)
    proof = suppressor.proof()
    assert (proof.strokes, proof.judged) == (20, judged)
    assert proof.audible_after_pct == (100.0 if judged else None)


@pytest.mark.parametrize(("gain", "judged"), [(0.9, 20), (0.001, 0)])
def test_a_peak_too_low_for_a_stroke_is_held_against_us_where_it_is_heard(gain: float, judged: int) -> None:
    class Unsure(Clicks):
        def step(self, features, state):  # type: ignore[no-untyped-def]
            said = super().step(features, state)
            said.keys[:] = said.keys * np.float32(0.3)
            return said

    signal = noise(7, 0.0005) + clicks(7, AT, level=0.1)
    suppressor = Suppressor(Unsure(gain))
    suppressor.process(signal)
    proof = suppressor.proof()
    assert (proof.strokes, proof.judged) == (0, judged)
    assert proof.audible_after_pct == (100.0 if judged else None)


def test_each_stroke_is_told_with_the_block_in_which_it_is_known() -> None:
    signal = noise(3, 0.0005) + clicks(3, [1.0, 2.0], level=0.1)
    with Engine(Clicks()) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(300):
            stream.push(signal[n * BLOCK : (n + 1) * BLOCK])
            ear.wait(n + 1)
        assert stream.proof().strokes == 2
    told = [(n, info) for n, info in enumerate(ear.infos) if info.stroke]
    assert [round(info.at_samples / 16000, 2) for _, info in told] == [1.0, 2.0]
    assert all(0 <= n * BLOCK - info.at_samples <= 5 * BLOCK for n, info in told)
    assert all(info.at_samples == -1 for info in ear.infos if not info.stroke)


def test_without_strokes_there_is_nothing_to_prove() -> None:
    suppressor = Suppressor(Constant())
    suppressor.process(noise(1, 0.1))
    proof = suppressor.proof()
    assert (proof.strokes, proof.judged, proof.audible_before_pct, proof.level_after_db) == (0, 0, None, None)
