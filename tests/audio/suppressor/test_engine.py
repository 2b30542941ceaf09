"""The engine: any number of streams, each as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest

from audio.errors import EngineFull
from audio.suppressor import BLOCK, LATENCY, Engine, StrokeInfo
from audio.suppressor.bank import Bank
from audio.suppressor.frames import Float
from tests.support.networks import Constant, Held
from tests.support.streams import Ear, clicks, noise, through

pytestmark = pytest.mark.quiet


@pytest.mark.parametrize("at", [0, 1, 159, 160, 1000, 1599])
def test_an_impulse_comes_out_320_samples_later_wherever_it_falls(at: int) -> None:
    signal = np.zeros(3200, np.float32)
    signal[at] = 1.0
    with Engine(Constant(), comfort=False) as engine:
        out = through(engine, signal)
        assert engine.latency_samples == LATENCY == 320
    expected = np.zeros(3200, np.float32)
    expected[at + LATENCY] = 1.0
    assert np.abs(out - expected).max() < 1e-6


def test_every_block_comes_out_once_and_in_order() -> None:
    signal = noise(1, 0.1)
    with Engine(Constant(0.5), comfort=False) as engine:
        out = through(engine, signal)
    assert len(out) == len(signal)
    assert np.abs(out[LATENCY:] - 0.5 * signal[:-LATENCY]).max() < 1e-6


def test_a_stream_without_a_callback_is_pulled() -> None:
    network = Held()
    with Engine(network) as engine:
        stream = engine.open()
        assert stream.pull() is None
        stream.push(noise(0.01, 0.1))
        stream.push(noise(0.01, 0.1))
        for _ in range(2):
            assert network.entered.acquire(timeout=30)
    out, info = stream.pull() or (None, None)
    assert out is not None
    assert out.shape == (BLOCK,)
    assert isinstance(info, StrokeInfo)
    assert not info.passed


def test_who_does_not_pull_loses_the_oldest_blocks_and_is_told_so() -> None:
    with Engine(Constant()) as engine:
        lazy, ear = engine.open(), Ear()
        other = engine.open(ear)
        for n in range(80):
            lazy.push(noise(0.01, 0.1))
            other.push(noise(0.01, 0.1))
            ear.wait(n + 1)
    waiting = 0
    while lazy.pull() is not None:
        waiting += 1
    assert waiting == 64
    assert lazy.dropped >= 15


def test_there_is_no_place_for_one_stream_too_many_until_one_leaves() -> None:
    with Engine(Constant(), streams=2) as engine:
        first, _ = engine.open(), engine.open()
        with pytest.raises(EngineFull):
            engine.open()
        first.close()
        assert engine.open() is not None


def test_a_stream_that_leaves_while_its_block_is_being_computed_hears_no_more_of_it() -> None:
    network = Held()
    with Engine(network, streams=1) as engine:
        ear = Ear()
        stream = engine.open(ear)
        network.go.clear()
        stream.push(noise(0.01, 0.1))
        assert network.entered.acquire(timeout=30)
        stream.close()
        with pytest.raises(EngineFull):
            engine.open()
        network.go.set()
    assert ear.blocks == []
    later = Engine(network, streams=1)
    assert later.open() is not None


def test_a_place_that_was_used_before_is_as_good_as_new() -> None:
    signal = noise(0.5, 0.05) + clicks(0.5, [0.2])
    with Engine(Constant(0.3), streams=1, comfort=True) as engine:
        first = through(engine, signal)
        through(engine, noise(0.3, 0.5, seed=9))
        again = through(engine, signal)
    assert np.array_equal(first, again)


def test_a_closed_stream_takes_no_more_and_says_the_same_for_ever() -> None:
    with Engine(Constant()) as engine:
        ear = Ear()
        stream = engine.open(ear)
        stream.push(noise(0.01, 0.1))
        ear.wait(1)
        proof = stream.close()
        stream.push(noise(0.01, 0.1))
        assert stream.hint(0) is False
        stream.bypass = True
        assert stream.bypass is False
        assert stream.close() == stream.proof() == proof
        assert proof.blocks == 1
        assert engine.counters.blocks == 1


def test_bypass_lets_the_sound_through_at_the_same_latency_without_a_click() -> None:
    signal = np.full(160 * 60, 0.25, np.float32) * np.sin(np.arange(160 * 60) * 0.05).astype(np.float32)
    with Engine(Constant(0.1), comfort=False) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(60):
            if n == 20:
                stream.bypass = True
            if n == 40:
                stream.bypass = False
            stream.push(signal[n * BLOCK : (n + 1) * BLOCK])
            ear.wait(n + 1)
    out, late = ear.heard, np.concatenate((np.zeros(LATENCY, np.float32), signal[:-LATENCY]))
    assert np.abs(out[22 * BLOCK : 40 * BLOCK] - late[22 * BLOCK : 40 * BLOCK]).max() < 1e-6
    assert np.abs(out[: 20 * BLOCK] - 0.1 * late[: 20 * BLOCK]).max() < 1e-6
    assert np.abs(np.diff(out)).max() < 0.02, "no step is larger than the sine's own"


def _alone(network: Constant, signal: Float, comfort: bool) -> Float:
    bank = Bank(network, 1, comfort)
    bank.reset(0)
    slots = np.zeros(1, np.intp)
    out = []
    for block in signal.reshape(-1, 1, BLOCK):
        bank.gather(slots, block)
        bank.compute(slots)
        out.append(bank.commit(slots).out[0].copy())
    return np.concatenate(out)


def test_streams_that_join_and_leave_do_not_touch_the_others() -> None:
    network = Constant(0.4)
    signals = [noise(0.4, 0.05, seed=n) for n in range(6)]
    expected = [_alone(network, s, comfort=True) for s in signals]
    with Engine(network, streams=8) as engine:
        ears = [Ear() for _ in signals]
        streams = [engine.open(ears[n]) if n < 2 else None for n in range(6)]
        done = [0] * 6
        for turn in range(80):
            if turn in (5, 9, 13, 21):
                n = {5: 2, 9: 3, 13: 4, 21: 5}[turn]
                streams[n] = engine.open(ears[n])
            if turn == 17:
                left = streams[1]
                assert left is not None
                left.close()
                streams[1] = None
            for n, stream in enumerate(streams):
                if stream is not None and done[n] < 40:
                    stream.push(signals[n][done[n] * BLOCK : (done[n] + 1) * BLOCK])
                    done[n] += 1
            for n, ear in enumerate(ears):
                ear.wait(done[n])
    for n, ear in enumerate(ears):
        assert np.array_equal(ear.heard, expected[n][: len(ear.heard)]), f"stream {n}"
        assert len(ear.heard) == done[n] * BLOCK
