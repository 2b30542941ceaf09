"""An optimiser for matrices: momentum made orthogonal; vectors and heads are left to Adam."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def orthogonal(m: Tensor) -> Tensor:
    """The nearest matrix with singular values near one, by five steps of Newton and Schulz."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = m / (m.norm() + 1e-7)
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    for _ in range(5):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if flip else x


class Muon(torch.optim.Optimizer):  # type: ignore[misc]  # torch is not there when types are checked
    """Steps as long, on average, as Adam's at the same rate; stacked gates are treated one by one."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, gates: int = 176) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "gates": gates})

    def step(self, closure: None = None) -> None:
        with torch.no_grad():
            self._step()

    def _step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                held = self.state[p].setdefault("momentum", torch.zeros_like(p))
                held.lerp_(p.grad, 1 - group["momentum"])
                wanted = p.grad.lerp(held, group["momentum"])
                blocks = wanted.split(group["gates"]) if p.shape[0] == 3 * group["gates"] else (wanted,)
                made = torch.cat([orthogonal(b) * 0.2 * max(b.shape) ** 0.5 for b in blocks])
                p.add_(made, alpha=-group["lr"])
