"""With the weights that calls run on: to the last bit the same, whoever shares the batch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from audio.suppressor import BLOCK, Engine, Network, Suppressor
from audio.suppressor.bank import Bank
from audio.suppressor.frames import Float
from models.suppressor import Network as Weights
from tests.support.streams import Ear, clicks, noise

pytestmark = pytest.mark.quiet

BLOCKS = 24


@cache
def network() -> Network:
    return Weights()


def signal(seed: int) -> Float:
    seconds = BLOCKS * BLOCK / 16000
    return noise(seconds, 0.02, seed) + clicks(seconds, [0.03 + 0.01 * (seed % 9), 0.15], seed=seed)


@cache
def alone(seed: int) -> Float:
    bank = Bank(network(), 1)
    bank.reset(0)
    return run(bank, [0], [seed])[0]


def run(bank: Bank, slots: list[int], seeds: list[int]) -> list[Float]:
    where = np.array(slots, np.intp)
    blocks = np.stack([signal(seed) for seed in seeds]).reshape(len(seeds), BLOCKS, BLOCK)
    out = np.empty_like(blocks)
    for n in range(BLOCKS):
        bank.gather(where, blocks[:, n])
        bank.compute(where)
        out[:, n] = bank.commit(where).out
    return list(out.reshape(len(seeds), -1))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 33, 64, 100])
def test_a_stream_sounds_the_same_in_a_batch_of_any_size(size: int) -> None:
    bank = Bank(network(), size)
    for slot in range(size):
        bank.reset(slot)
    for seed, out in enumerate(run(bank, list(range(size)), [seed % 11 for seed in range(size)])):
        assert np.array_equal(out, alone(seed % 11)), f"row {seed} of {size}"


def test_a_stream_sounds_the_same_in_scattered_places() -> None:
    bank = Bank(network(), 64)
    slots = [2, 3, 17, 40, 61]
    for slot in slots:
        bank.reset(slot)
    for seed, out in enumerate(run(bank, slots, list(range(5)))):
        assert np.array_equal(out, alone(seed))


def test_a_stream_sounds_the_same_when_its_companions_change_at_every_block() -> None:
    rng = np.random.default_rng(4)
    bank = Bank(network(), 11)
    for slot in range(11):
        bank.reset(slot)
    done = [0] * 11
    outs: list[list[Float]] = [[] for _ in range(11)]
    while min(done) < BLOCKS:
        wanting = [n for n in range(11) if done[n] < BLOCKS]
        slots = np.sort(np.array(rng.permutation(wanting)[: rng.integers(1, len(wanting) + 1)], np.intp))
        bank.gather(slots, np.stack([signal(n).reshape(BLOCKS, BLOCK)[done[n]] for n in slots]))
        bank.compute(slots)
        found = bank.commit(slots)
        for row, n in enumerate(slots.tolist()):
            outs[n].append(found.out[row].copy())
            done[n] += 1
    for n in range(11):
        assert np.array_equal(np.concatenate(outs[n]), alone(n))


def test_the_engine_and_the_suppressor_for_files_give_the_same_sound() -> None:
    with Engine(network(), comfort=False) as engine:
        ears = [Ear() for _ in range(3)]
        streams = [engine.open(ear) for ear in ears]
        for n in range(BLOCKS):
            for seed, stream in enumerate(streams):
                stream.push(signal(seed)[n * BLOCK : (n + 1) * BLOCK])
            for ear in ears:
                ear.wait(n + 1)
    for seed, ear in enumerate(ears):
        whole = Suppressor(network()).process(signal(seed))
        assert np.array_equal(ear.heard[320:], whole[:-320])
        assert len(whole) == len(signal(seed))


def test_pieces_of_any_length_give_what_the_whole_gives() -> None:
    whole = Suppressor(network()).process(signal(1))
    pieces = Suppressor(network())
    out = [pieces.feed(signal(1)[start : start + 37]) for start in range(0, BLOCKS * BLOCK, 37)]
    assert np.array_equal(np.concatenate([*out, pieces.flush()]), whole)
