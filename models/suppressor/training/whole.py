"""Weights as whole numbers of eight bits, so that a product of matrices costs a third and is exact.

Sums of whole numbers are the same in any order: a row's result cannot depend on the batch it is in, nor on the
processor. Processors without the newest instructions add products of unsigned by signed bytes two by two in sixteen
bits, where more than 32,767 is cut off; so no two weights that meet there may add up to more than PAIR.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

MOST = 127
PAIR = 128
"""255 * 128 is 32,640."""


class Scale(NamedTuple):
    """What one step of an eight-bit number stands for, and which number stands for nothing."""

    step: float
    zero: int


def up_to(most: float) -> Scale:
    """For numbers from 0 to `most`."""
    return Scale(most / 255, 0)


EITHER_WAY = Scale(1 / 127, 128)
"""For numbers from -1 to 1."""


def columns(weight: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    """Whole weights, and what one step of each column (inputs, outputs) stands for."""
    even = np.concatenate([weight, np.zeros((len(weight) % 2, weight.shape[1]), weight.dtype)])
    pairs = even.reshape(-1, 2, weight.shape[1])
    both = np.maximum(np.maximum(pairs, 0).sum(axis=1), np.maximum(-pairs, 0).sum(axis=1)).max(axis=0)
    # Rounding may add a half to either: PAIR - 1 leaves room for it.
    step = np.maximum(np.abs(weight).max(axis=0) / MOST, both / (PAIR - 1))
    step = np.where(step > 0, step, 1).astype(np.float32)
    return np.clip(np.rint(weight / step), -MOST, MOST).astype(np.int8), step


def product(parts: list[tuple[Scale, Matrix]], bias: Matrix) -> tuple[NDArray[np.int8], Matrix, Matrix]:
    """Whole weights, their columns' steps and the bias for inputs side by side, each (inputs, outputs) with its scale.

    The inputs' steps go into the weights, and what their zeros add goes into the bias.
    """
    whole, step = columns(np.concatenate([weight * np.float32(scale.step) for scale, weight in parts]))
    zeros = np.concatenate([np.full(len(weight), scale.zero) for scale, weight in parts])
    moved = bias - (zeros @ whole.astype(np.int64)) * step.astype(np.float64)
    return whole, step, moved.astype(np.float32)
