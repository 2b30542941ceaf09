"""Too much, too late: sound goes through unprocessed rather than late, and everybody can see it."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor import BLOCK, LATENCY, Engine
from audio.suppressor.frames import Float
from tests.support.networks import Constant, Failing, Held, Spoilt
from tests.support.streams import Ear, noise

pytestmark = pytest.mark.quiet


def late(signal: Float) -> Float:
    return np.concatenate((np.zeros(LATENCY, np.float32), signal[:-LATENCY]))


def block(signal: Float, n: int) -> Float:
    return signal[n * BLOCK : (n + 1) * BLOCK]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_blocks_that_wait_too_long_go_through_as_they_are_and_just_as_late() -> None:
    signal, clock, network = noise(1, 0.1), Clock(), Held(0.5)
    with Engine(network, comfort=False, patience_ms=35, monotonic=clock) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(10):
            stream.push(block(signal, n))
            ear.wait(n + 1)
        network.go.clear()
        for n in range(10, 20):
            clock.now += 0.010
            stream.push(block(signal, n))
            if n == 10:
                assert all(network.entered.acquire(timeout=30) for _ in range(11))
        ear.wait(16)
        assert len(ear.blocks) == 16, "the four newest have not waited for 35 ms"
        assert [info.passed for info in ear.infos] == [False] * 10 + [True] * 6
        network.go.set()
        ear.wait(20)
        proof = stream.proof()
    assert proof.blocks == 20
    assert proof.blocks_passed == engine.counters.passed == 6
    assert proof.degraded
    assert not engine.degraded, "the network is well"
    expected = late(signal)[: 20 * BLOCK]
    assert np.abs(ear.heard[11 * BLOCK : 16 * BLOCK] - expected[11 * BLOCK : 16 * BLOCK]).max() < 1e-6
    assert np.abs(ear.heard[: 10 * BLOCK] - 0.5 * expected[: 10 * BLOCK]).max() < 1e-6
    assert np.abs(ear.heard[17 * BLOCK :] - 0.5 * expected[17 * BLOCK :]).max() < 1e-6


def test_going_over_to_unprocessed_sound_and_back_makes_no_click() -> None:
    sine = (0.5 * np.sin(np.arange(60 * BLOCK) * 0.03)).astype(np.float32)
    clock, network = Clock(), Held(0.0)
    with Engine(network, comfort=False, monotonic=clock) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(60):
            held = 20 <= n < 40
            network.go.clear() if held else network.go.set()
            stream.push(block(sine, n))
            if held:
                clock.now += 0.1
            else:
                ear.wait(n + 1)
    assert any(info.passed for info in ear.infos)
    assert np.abs(np.diff(ear.heard)).max() < 0.05


def test_an_inbox_that_is_full_lets_the_oldest_through_even_while_the_clock_stands_still() -> None:
    signal, network = noise(1, 0.1), Held()
    with Engine(network, monotonic=Clock()) as engine:
        ear = Ear()
        stream = engine.open(ear)
        network.go.clear()
        for n in range(40):
            stream.push(block(signal, n))
        assert len(ear.blocks) == 26
        network.go.set()
        ear.wait(40)
    assert engine.counters.blocks == 40
    assert engine.counters.passed == 26


def test_one_stream_that_is_behind_takes_nothing_from_the_others() -> None:
    signal = noise(1, 0.1)
    with Engine(Constant(0.5), comfort=False) as engine:
        ear, flood = Ear(), Ear()
        stream, other = engine.open(ear), engine.open(flood)
        for n in range(20):
            for _ in range(5):
                other.push(block(signal, n))
            stream.push(block(signal, n))
            ear.wait(n + 1)
        flood.wait(100)
    assert not any(info.passed for info in ear.infos)


def test_no_network_means_unprocessed_sound_and_says_so_once() -> None:
    told: list[str] = []
    signal = noise(0.5, 0.1)
    with Engine(None, on_degraded=told.append) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(50):
            stream.push(block(signal, n))
            ear.wait(n + 1)
        proof = stream.close()
    assert told == ["no network"]
    assert engine.degraded
    assert np.abs(ear.heard - late(signal)).max() < 1e-6
    assert (proof.degraded, proof.blocks_passed, proof.model, proof.audible_after_pct) == (True, 50, "", None)


def test_a_network_that_fails_is_given_up_after_three_times_and_the_sound_goes_on() -> None:
    told: list[str] = []
    signal, network = noise(0.5, 0.1), Failing()
    with Engine(network, on_degraded=told.append) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(50):
            stream.push(block(signal, n))
            ear.wait(n + 1)
        network.broken = False
        assert engine.degraded
        assert engine.counters.faults == 3
    assert told == ["the network failed: RuntimeError"]
    assert np.abs(ear.heard - late(signal)).max() < 1e-6
    assert network.steps == 0


def test_a_network_that_fails_once_is_used_again() -> None:
    signal, network = noise(0.5, 0.1), Failing()
    with Engine(network, comfort=False) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(50):
            network.broken = n == 10
            stream.push(block(signal, n))
            ear.wait(n + 1)
        assert not engine.degraded
        assert stream.proof().degraded, "this stream had a block that was not made quiet"
    assert [n for n, info in enumerate(ear.infos) if info.passed] == [10]
    assert np.abs(ear.heard - late(signal)).max() < 1e-6


@pytest.mark.parametrize("what", ["gains", "keys", "voice", "state"])
def test_what_is_no_number_in_the_networks_answer_reaches_nobody(what: str) -> None:
    turn = [0]

    def spoil(said):  # type: ignore[no-untyped-def]
        turn[0] += 1
        if turn[0] == 10:
            getattr(said, what)[:] = np.nan
        return said

    signal = noise(0.5, 0.1)
    with Engine(Spoilt(spoil)) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(50):
            stream.push(block(signal, n))
            ear.wait(n + 1)
        assert engine.counters.faults == 1
    assert np.abs(ear.heard - late(signal)).max() < 1e-6


def test_an_answer_of_the_wrong_shape_counts_as_a_failure() -> None:
    signal = noise(0.2, 0.1)
    with Engine(Spoilt(lambda said: said._replace(gains=said.gains[:, :7]))) as engine:
        ear = Ear()
        stream = engine.open(ear)
        for n in range(20):
            stream.push(block(signal, n))
            ear.wait(n + 1)
        assert engine.degraded
    assert np.abs(ear.heard - late(signal)).max() < 1e-6


def test_a_callback_that_raises_hurts_nobody_else() -> None:
    def deaf(out: Float, info: object) -> None:
        raise ValueError("not listening")

    signal = noise(0.2, 0.1)
    with Engine(Constant()) as engine:
        ear = Ear()
        bad, good = engine.open(deaf), engine.open(ear)
        for n in range(20):
            bad.push(block(signal, n))
            good.push(block(signal, n))
            ear.wait(n + 1)
        good.push(block(signal, 0))
        ear.wait(21)
        assert engine.counters.faults >= 20
    assert not any(info.passed for info in ear.infos)


def test_after_the_engine_has_stopped_sound_still_goes_through() -> None:
    signal, clock = noise(0.5, 0.1), Clock()
    engine = Engine(Constant(), monotonic=clock)
    engine.start()
    ear = Ear()
    stream = engine.open(ear)
    engine.close()
    for n in range(20):
        clock.now += 0.010
        stream.push(block(signal, n))
    assert len(ear.blocks) >= 15
    assert np.abs(ear.heard - late(signal)[: len(ear.heard)]).max() < 1e-6
