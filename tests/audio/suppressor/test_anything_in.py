"""Whatever is pushed, sound comes out: as much, in time, finite, and well again afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from audio.suppressor import BLOCK, Engine, Network, Suppressor
from audio.suppressor.frames import Float
from models.suppressor import Network as Weights
from tests.support.networks import Constant
from tests.support.streams import Ear, decibels, noise, through

pytestmark = pytest.mark.quiet

samples = st.one_of(
    st.floats(width=32, allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, -1.0, 1e38, -1e38, 1e-40]),
)
arrays = st.one_of(
    hnp.arrays(np.float32, st.integers(0, 500), elements=samples, fill=st.just(0.0)),
    hnp.arrays(np.float32, st.just(BLOCK), elements=samples, fill=st.sampled_from([0.0, np.nan, 1.0])),
    hnp.arrays(np.int16, st.integers(0, 400)),
    hnp.arrays(np.float64, st.tuples(st.integers(0, 3), st.integers(0, 99))),
)
anything = st.one_of(
    arrays, st.none(), st.text(max_size=3), st.lists(st.floats(), max_size=9), st.binary(max_size=9)
)


@pytest.fixture(scope="module")
def network() -> Network:
    return Weights()


def amount(block: Any) -> int:
    """Samples that a push stands for: those in it, or a block where there are none to be had."""
    try:
        with np.errstate(all="ignore"):
            return int(np.asarray(block).astype(np.float32).size)
    except (TypeError, ValueError):
        return BLOCK


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(anything, max_size=12))
def test_no_push_raises_and_every_sample_is_answered_by_one_that_is_finite(
    network: Network, pushed: list[Any]
) -> None:
    with Engine(network) as engine:
        ear = Ear()
        stream = engine.open(ear)
        total = 0
        for block in pushed:
            stream.push(block)
            total += amount(block)
            ear.wait(total // BLOCK)
        assert len(ear.blocks) == total // BLOCK
        assert np.isfinite(ear.heard).all()
        assert np.abs(ear.heard).max(initial=0) < 16
        assert engine.counters.faults == 0


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 3e38, 1.0, 0.0, 1e-42])
def test_a_stream_is_well_again_after_garbage(network: Network, garbage: float) -> None:
    speech_like = noise(1.5, 0.05) * (1 + np.sin(np.arange(24000) * 0.002)).astype(np.float32)
    spoilt = speech_like.copy()
    spoilt[4000:4800] = garbage
    with Engine(network, comfort=False) as engine:
        clean, dirty = through(engine, speech_like), through(engine, spoilt)
    assert np.isfinite(dirty).all()
    assert abs(decibels(dirty[16000:]) - decibels(clean[16000:])) < 3.0


def test_silence_stays_silent(network: Network) -> None:
    with Engine(network) as engine:
        assert np.abs(through(engine, np.zeros(16000, np.float32))).max() < 1e-5


def test_a_constant_offset_is_taken_out_and_does_not_count_as_sound() -> None:
    signal = noise(6, 0.01) + np.float32(0.2)
    with Engine(Constant(0.5), comfort=False) as engine:
        out = through(engine, signal)
    assert abs(float(out[5 * 16000 :].mean())) < 0.0025
    plain = noise(6, 0.01)
    with Engine(Constant(0.5), comfort=False) as engine:
        assert np.abs(through(engine, plain)[320:] - 0.5 * plain[:-320]).max() < 1e-6


def test_sixteen_bit_samples_are_scaled_and_lengths_are_cut_into_blocks() -> None:
    signal = noise(0.5, 0.1)
    words = np.round(signal * 32768).astype(np.int16)
    with Engine(Constant(), comfort=False) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for start in range(0, 8000, 441):
            stream.push(words[start : start + 441])
            ear.wait(min(start + 441, 8000) // BLOCK)
        assert stream.odd > 0
    assert np.abs(ear.heard[320:] - signal[:-320]).max() < 1e-4


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=12))
def test_a_file_comes_out_as_long_as_it_went_in_whatever_its_pieces(lengths: list[int]) -> None:
    whole = noise(sum(lengths) / 16000 + 0.1, 0.1)[: sum(lengths)]
    suppressor = Suppressor(Constant())
    out: list[Float] = []
    start = 0
    for length in lengths:
        out.append(suppressor.feed(whole[start : start + length]))
        start += length
    out.append(suppressor.flush())
    heard = np.concatenate(out)
    assert len(heard) == len(whole)
    assert np.abs(heard - whole).max(initial=0) < 1e-6
