"""Weights as whole numbers: near the real ones, and never so large that some processors would cut their sums off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.suppressor.training.whole import EITHER_WAY, PAIR, Scale, columns, product, up_to

pytestmark = pytest.mark.quiet


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6), st.sampled_from([0.5, 2.0, 8.0]))
def test_no_pair_of_weights_can_leave_sixteen_bits(seed: int, rows: int, width: int, tail: float) -> None:
    rng = np.random.default_rng(seed)
    weight = (np.abs(rng.standard_normal((rows, width))) ** tail * rng.choice([-1, 1], (rows, width))).astype(
        np.float32
    )
    whole, step = columns(weight)
    assert np.abs(whole * step - weight).max() <= 0.51 * step.max()
    pairs = np.concatenate([whole, np.zeros((rows % 2, width), np.int8)]).astype(int).reshape(-1, 2, width)
    for sign in (1, -1):
        assert np.maximum(sign * pairs, 0).sum(axis=1).max() <= PAIR
    assert np.iinfo(np.int16).max >= 255 * PAIR


def test_a_product_of_whole_numbers_is_the_product_it_stands_for() -> None:
    rng = np.random.default_rng(1)
    scales = (EITHER_WAY, up_to(8.0), Scale(6 / 255, 85))
    inputs = [rng.uniform(-1, 1, (20, 60)), rng.uniform(0, 8, (20, 50)), rng.uniform(-2, 4, (20, 30))]
    weights = [rng.standard_normal((x.shape[1], 12)).astype(np.float32) for x in inputs]
    bias = rng.standard_normal(12).astype(np.float32)
    whole, step, moved = product(list(zip(scales, weights, strict=True)), bias)
    seen = np.concatenate(
        [np.rint(x / scale.step) + scale.zero for x, scale in zip(inputs, scales, strict=True)], axis=1
    )
    assert seen.min() >= 0
    assert seen.max() <= 255
    expected = sum(x @ w for x, w in zip(inputs, weights, strict=True)) + bias
    found = (seen @ whole.astype(float)) * step + moved
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_a_column_of_nothing_stays_nothing() -> None:
    whole, step = columns(np.zeros((4, 2), np.float32))
    assert not whole.any()
    assert (step == 1).all()
