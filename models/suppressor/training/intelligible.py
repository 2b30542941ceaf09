"""How well words can be followed: a smooth relative of eSTOI (Jensen and Taal, 2016), on the network's own frames.

It compares how the levels of third-octave bands move over stretches of 0.4 s, with each stretch freed of its own level
and tilt. The tests hold it against the published measure.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from models.suppressor.features import BINS, RATE, WINDOW

BANDS = 15
LOWEST = 150.0
STRETCH = 38
"""Frames of 10 ms."""
STEP = 5
SILENT_DB = 40.0
"""Frames further than this under the loudest are left out, as nobody speaks in them."""


@cache
def thirds(device: torch.device) -> Tensor:
    """(161, 15): which bins make which third of an octave."""
    hz = np.arange(BINS) * RATE / WINDOW
    middle = LOWEST * 2 ** (np.arange(BANDS) / 3)
    edge = 2 ** (1 / 6)
    inside = (hz[:, None] >= middle / edge) & (hz[:, None] < middle * edge)
    return torch.as_tensor(inside, dtype=torch.float32, device=device)


def _freed(x: Tensor, dim: int) -> Tensor:
    x = x - x.mean(dim, keepdim=True)
    made: Tensor = x / torch.sqrt((x * x).sum(dim, keepdim=True) + 1e-12)
    return made


def followed(reference: Tensor, heard: Tensor) -> Tensor:
    """Power spectra (time, streams, 161) of the speech and of what came of it: (streams,), 1 the same, 0 nothing."""
    bands = thirds(reference.device)
    with torch.no_grad():
        clean = torch.sqrt(reference @ bands + 1e-9)
        level = 10 * torch.log10(reference.sum(2) + 1e-9)
        speaks = level > level.max(0).values - SILENT_DB
    dirty = torch.sqrt(heard @ bands + 1e-9)
    begin = int(torch.randint(STEP, ()))
    made: list[Tensor] = []
    for n in range(reference.shape[1]):
        kept = speaks[:, n].nonzero()[:, 0]
        if len(kept) < STRETCH + STEP:
            continue
        pair = torch.stack([clean[kept, n], dirty[kept, n]])
        stretches = pair[:, begin:].unfold(1, STRETCH, STEP)
        freed = _freed(_freed(stretches, 3), 2)
        made.append((freed[0] * freed[1]).sum((1, 2)).mean() / STRETCH)
    return torch.stack(made) if made else heard.new_zeros(0)
