"""The network as it is trained: whole stretches at once, the same numbers as the step that runs in a call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.suppressor.features import BINS, FEATURES
from models.suppressor.network import EMBED, HIDDEN


class Clamp(torch.autograd.Function):  # type: ignore[misc]  # torch is not there when types are checked
    """Clamps to 0..1; outside, only what pushes back in is let through, so that no gain gets stuck."""

    @staticmethod
    def forward(ctx: Any, raw: Tensor) -> Tensor:
        ctx.save_for_backward(raw)
        return raw.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (raw,) = ctx.saved_tensors
        outwards = ((raw <= 0) & (slope > 0)) | ((raw >= 1) & (slope < 0))
        return slope.masked_fill(outwards, 0.0)


class Net(nn.Module):  # type: ignore[misc]  # as above
    """Embedding, three frames of context, two recurrent layers, a gain for each bin."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURES, EMBED)
        self.mix = nn.Linear(3 * EMBED, HIDDEN)
        self.gru1 = nn.GRU(HIDDEN, HIDDEN)
        self.gru2 = nn.GRU(HIDDEN, HIDDEN)
        width = 2 * HIDDEN + EMBED
        self.gain = nn.Linear(width, BINS)
        self.keys = nn.Linear(width, 1)
        self.voice = nn.Linear(width, 1)
        with torch.no_grad():
            self.gain.weight.mul_(0.3)
            self.gain.bias.fill_(0.7)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(time, streams, 177) -> gains (time, streams, 161), key and voice logits (time, streams), each about
        the frame before the one at that time."""
        e = torch.relu(self.embed(features))
        blank = e.new_zeros(2, *e.shape[1:])
        past = torch.cat([blank, e])
        before = past[1:-1]
        z = torch.relu(self.mix(torch.cat([e, before, past[:-2]], -1)))
        h1, _ = self.gru1(z)
        h2, _ = self.gru2(h1)
        both = torch.cat([h2, z, before], -1)
        gains: Tensor = Clamp.apply(self.gain(both).float())
        return gains, self.keys(both)[..., 0].float(), self.voice(both)[..., 0].float()
