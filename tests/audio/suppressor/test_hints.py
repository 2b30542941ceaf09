"""Key times as a help: they may do good, and can do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.suppressor import BLOCK, Engine
from audio.suppressor.frames import BINS, Float
from audio.suppressor.hints import HELD, KeyTimes
from tests.support.networks import Constant
from tests.support.streams import Ear, clicks, decibels, noise

pytestmark = pytest.mark.quiet

SLOTS = np.zeros(1, np.intp)


class Scripted(Constant):
    """The same answer for a stretch of blocks: a list of (blocks, gain, voice, keys)."""

    def __init__(self, script: list[tuple[int, float, float, float]]) -> None:
        super().__init__()
        self.script = [row for row in script for _ in range(row[0])]

    def step(self, features, state):  # type: ignore[no-untyped-def]
        _, gain, voice, keys = self.script[min(self.steps, len(self.script) - 1)]
        said = super().step(features, state)
        said.gains[:], said.voice[:], said.keys[:] = gain, voice, keys
        return said


def run(network: Constant, signal: Float, hints: dict[int, list[int]], wanted: bool = True) -> Float:
    """`hints`: block at which they arrive -> key times in samples."""
    with Engine(network, comfort=False) as engine:
        ear = Ear()
        stream = engine.open(ear, hints=wanted)
        for n in range(len(signal) // BLOCK):
            for at in hints.get(n, []):
                stream.hint(at)
            stream.push(signal[n * BLOCK : (n + 1) * BLOCK])
            ear.wait(n + 1)
    return ear.heard


def test_hints_are_off_unless_asked_for() -> None:
    with Engine(Constant()) as engine:
        stream = engine.open()
        stream.push(noise(0.01, 0.1))
        assert stream.hint(0) is False
        assert engine.open(hints=True).hint(0) is True


def test_a_hinted_stroke_in_a_pause_is_muted_further() -> None:
    signal = clicks(2, [1.0], level=0.3) + noise(2, 0.0001)
    blind = run(Constant(0.3), signal, {})
    hinted = run(Constant(0.3), signal, {101: [16000]})
    stroke = slice(16000 + 320, 16000 + 320 + 800)
    assert decibels(hinted[stroke]) < decibels(blind[stroke]) - 25
    assert np.array_equal(hinted[: 98 * BLOCK], blind[: 98 * BLOCK])
    assert np.array_equal(hinted[115 * BLOCK :], blind[115 * BLOCK :])


def test_forged_hints_make_no_hole_in_the_background() -> None:
    flood = {n: [n * BLOCK - 800, n * BLOCK, n * BLOCK + 800] for n in range(200)}
    faint, room = noise(2, 10 ** (-70 / 20)), noise(2, 10 ** (-50 / 20))
    assert np.array_equal(run(Constant(0.9), faint, flood), run(Constant(0.9), faint, {}))
    muted = decibels(run(Constant(0.9), room, flood)[16000:])
    assert -69 < muted < -63, "lowered until nobody hears a stroke in it, and no further"


def test_forged_hints_mute_no_speech() -> None:
    signal = noise(3, 0.1)
    flood = {n: [n * BLOCK - 800, n * BLOCK, n * BLOCK + 800] for n in range(300)}
    speaking = Scripted([(300, 0.9, 0.9, 0.0)])
    assert np.array_equal(
        run(speaking, signal, flood), run(Scripted([(300, 0.9, 0.9, 0.0)]), signal, {}, wanted=False)
    )


def test_forged_hints_mute_no_end_of_a_word() -> None:
    signal = noise(3, 0.1)
    flood = {n: [n * BLOCK] for n in range(300)}
    script = [(100, 0.9, 0.9, 0.0), (200, 0.9, 0.0, 0.0)]
    blind, forged = run(Scripted(script), signal, {}), run(Scripted(script), signal, flood)
    assert np.array_equal(forged[: 119 * BLOCK], blind[: 119 * BLOCK]), "200 ms after the last voice"


@pytest.mark.parametrize("lag_blocks", [30, 60, 200])
def test_hints_that_come_too_late_or_too_early_change_nothing(lag_blocks: int) -> None:
    signal = clicks(3, [1.0], level=0.3)
    blind = run(Constant(0.3), signal, {})
    late = run(Constant(0.3), signal, {100 + lag_blocks: [16000]})
    early = run(Constant(0.3), signal, {60: [16000 + 100 * BLOCK]})
    assert np.array_equal(blind, late)
    assert np.array_equal(blind, early)


def test_lost_hints_leave_what_the_network_takes_out() -> None:
    """Nobody hints for ever so long, and the network hears keys: it decides."""
    signal = noise(6, 0.1)
    script = [(400, 0.9, 0.9, 0.0), (200, 0.2, 0.9, 0.0)]
    blind, lost = run(Scripted(script), signal, {}, wanted=False), run(Scripted(script), signal, {})
    assert np.array_equal(lost[402 * BLOCK :], blind[402 * BLOCK :])


def test_small_losses_in_speech_are_undone_while_nobody_types() -> None:
    signal = noise(6, 0.1)
    out = run(Scripted([(600, 0.9, 0.9, 0.0)]), signal, {})
    after = slice((HELD + 4) * BLOCK, 600 * BLOCK)
    assert np.abs(out[after] - signal[after.start - 320 : after.stop - 320]).max() < 1e-6


@pytest.mark.parametrize("by", ["hint", "network"])
def test_a_key_engages_the_suppressor_for_two_seconds(by: str) -> None:
    signal = noise(8, 0.1)
    keys = 0.5 if by == "network" else 0.0
    script = [(400, 0.9, 0.9, 0.0), (1, 0.9, 0.9, keys), (399, 0.9, 0.9, 0.0)]
    out = run(Scripted(script), signal, {400: [399 * BLOCK]} if by == "hint" else {})
    held = slice(403 * BLOCK, (400 + HELD) * BLOCK)
    free = slice((412 + HELD) * BLOCK, 800 * BLOCK)
    late = np.concatenate((np.zeros(320, np.float32), signal[:-320]))
    assert np.abs(out[held] - 0.9 * late[held]).max() < 1e-6
    assert np.abs(out[free] - late[free]).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-(10**6), 10**6), max_size=40),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
    st.integers(0, 2**32 - 1),
)
def test_no_hints_whatever_make_speech_quieter_or_a_stroke_more_than_3_db_louder(
    times: list[int], voice: float, keys: float, seed: int
) -> None:
    stage = KeyTimes(1)
    stage.reset(0, True)
    rng = np.random.default_rng(seed)
    for n in range(260, 300):
        for at in times:
            stage.hint(0, n * BLOCK + at, n * BLOCK)
        levels = rng.exponential(1.0, (1, BINS)).astype(np.float32)
        before = rng.random((1, BINS)).astype(np.float32)
        gains = before.copy()
        stage.apply(
            SLOTS, np.array([n]), gains, levels, np.array([keys], np.float32), np.array([voice], np.float32)
        )
        assert gains.min() >= 0
        assert gains.max() <= 1
        if voice >= 0.5:
            assert (gains >= before).all(), "where the network hears voice nothing is muted"
        louder = (gains**2 * levels).sum() / (before**2 * levels).sum()
        assert louder <= 2.0 + 1e-4
