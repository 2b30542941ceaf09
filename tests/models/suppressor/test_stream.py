"""The reference stream: latency and reconstruction; and how strokes are read from probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.suppressor import BLOCK, LATENCY, Network
from models.suppressor.network import Step
from models.suppressor.stream import Stream, strokes

pytestmark = pytest.mark.quiet


class Open(Network):
    """Lets everything through."""

    def __init__(self) -> None:
        self.path = Path()
        self.sha256 = ""

    def step(self, features: np.ndarray, state: np.ndarray) -> Step:
        streams = len(features)
        return Step(
            np.ones((streams, 161), np.float32),
            np.zeros(streams, np.float32),
            np.zeros(streams, np.float32),
            state,
        )


def test_with_open_gains_the_output_is_the_input_one_latency_later() -> None:
    sound = np.random.default_rng(1).standard_normal((3, 40 * BLOCK)).astype(np.float32) * 0.1
    stream = Stream(Open(), 3)
    out = np.concatenate([stream.step(sound[:, n * BLOCK : (n + 1) * BLOCK]) for n in range(40)], axis=1)
    assert np.abs(out[:, LATENCY:] - sound[:, :-LATENCY]).max() < 1e-6
    assert not out[:, : LATENCY - BLOCK].any()


def test_an_impulse_anywhere_in_a_block_comes_out_320_samples_later() -> None:
    for at in (1600, 1601, 1679, 1759):
        sound = np.zeros((1, 30 * BLOCK), np.float32)
        sound[0, at] = 1.0
        stream = Stream(Open())
        out = np.concatenate([stream.step(sound[:, n * BLOCK : (n + 1) * BLOCK]) for n in range(30)], axis=1)
        assert int(np.argmax(out[0])) == at + 320


def test_a_stroke_is_a_peak_above_the_threshold() -> None:
    keys = np.zeros(40, np.float32)
    keys[[9, 10, 11]] = 0.6, 0.9, 0.7
    keys[20] = 0.4
    keys[30] = 0.8
    assert strokes(keys) == pytest.approx([0.095, 0.295])


def test_a_weaker_peak_soon_after_a_stroke_is_its_release() -> None:
    keys = np.zeros(60, np.float32)
    keys[[10, 20, 40]] = 0.95, 0.6, 0.6
    assert strokes(keys) == pytest.approx([0.095, 0.395])


def test_two_peaks_closer_than_forty_milliseconds_are_one_stroke() -> None:
    keys = np.zeros(40, np.float32)
    keys[[10, 13, 18]] = 0.9
    assert strokes(keys) == pytest.approx([0.095, 0.175])
