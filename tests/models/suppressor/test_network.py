"""The packaged weights: what they take, what they give, and that they do what they are for."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.suppressor import BINS, BLOCK, FEATURES, LATENCY, RATE, STATE, Network, weights_path
from models.suppressor.stream import Stream, hear, strokes
from models.suppressor.training import synthetic

pytestmark = pytest.mark.quiet


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def typing(seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, list[float]]:
    """Keyboards that nobody built, three strokes a second."""
    out = np.zeros(int(seconds * RATE), np.float32)
    boards = [strokes for _, strokes in synthetic.keyboards(np.random.default_rng(5), 10, 0)]
    times = np.arange(0.5, seconds - 0.5, 0.31)
    for t in times:
        board = boards[int(rng.integers(len(boards)))]
        press, sound, _ = board[int(rng.integers(len(board)))]
        at = int(t * RATE) - press
        out[at : at + len(sound)] += 0.1 * sound
    return out, [float(t) for t in times]


def test_a_step_gives_gains_between_exactly_zero_and_one_for_any_number_of_streams(network: Network) -> None:
    rng = np.random.default_rng(1)
    for streams in (1, 3, 64):
        seen = rng.standard_normal((streams, FEATURES)).astype(np.float32) * 2
        step = network.step(seen, network.initial(streams))
        assert step.gains.shape == (streams, BINS)
        assert step.state.shape == (streams, STATE)
        assert step.keys.shape == step.voice.shape == (streams,)
        assert step.gains.min() >= 0
        assert step.gains.max() <= 1


def test_a_stream_gets_the_same_bits_whoever_shares_its_batch(network: Network) -> None:
    rng = np.random.default_rng(2)
    seen = rng.standard_normal((70, FEATURES)).astype(np.float32)
    state = (rng.standard_normal((70, STATE)) / 2).astype(np.float32)
    together = network.step(seen, state)
    for streams in (1, 2, 5, 64):
        fewer = network.step(seen[:streams], state[:streams])
        assert np.array_equal(fewer.gains, together.gains[:streams])
        assert np.array_equal(fewer.state, together.state[:streams])


def test_silence_stays_silence(network: Network) -> None:
    heard = hear(network, np.zeros(2 * RATE, np.float32))
    assert not heard.samples.any()
    assert strokes(heard.keys) == []


def test_typing_alone_goes_down_by_thirty_decibels(network: Network) -> None:
    sound, _ = typing(8.0, np.random.default_rng(3))
    heard = hear(network, sound)
    before, after = np.mean(sound**2), np.mean(heard.samples[LATENCY:] ** 2)
    assert after <= before * 1e-3


def test_most_strokes_are_found_within_thirty_milliseconds(network: Network) -> None:
    sound, times = typing(8.0, np.random.default_rng(4))
    found = strokes(hear(network, sound).keys)
    near = [t for t in times if any(abs(t - f) <= 0.03 for f in found)]
    assert len(near) >= 0.7 * len(times)


def test_streams_side_by_side_do_not_hear_one_another(network: Network) -> None:
    rng = np.random.default_rng(6)
    sound = rng.standard_normal((2, 50 * BLOCK)).astype(np.float32) * 0.05
    both = Stream(network, 2)
    alone = hear(network, sound[0]).samples
    blocks = [both.step(sound[:, n * BLOCK : (n + 1) * BLOCK])[0] for n in range(50)]
    assert np.array_equal(np.concatenate(blocks), alone)


def test_the_card_speaks_of_these_weights_and_they_are_small(network: Network) -> None:
    card = weights_path().with_name("MODEL_CARD.md").read_text(encoding="utf-8")
    assert network.sha256 in re.findall(r"[0-9a-f]{64}", card)
    assert weights_path().stat().st_size <= 4 * 1024 * 1024
    assert "LibriSpeech" in card
    assert "CC BY 4.0" in card
