"""What is paid for in training, in an environment with torch."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip(
    "torch", reason="TORCH IS NOT INSTALLED HERE: the prices of training are not tested"
)

pytestmark = pytest.mark.quiet


def leak(spoken: float, said: int) -> float:
    """The price of letting a loud stroke through in every frame, while somebody speaks or not."""
    from models.suppressor.training.loss import Batch, Prices, cost

    torch.manual_seed(1)
    shape = (9, 1, 161)
    mix = torch.randn(shape, dtype=torch.complex64)
    frames = torch.zeros(shape[:2])
    silence = torch.full((1,), math.nan)
    limit = torch.full((1,), -60.0)
    batch = Batch(mix, torch.zeros_like(mix), frames, frames + said, limit, limit, silence)
    made = cost(torch.ones(shape), frames, frames, batch, Prices(spoken=spoken))
    return float(made["leak"])


def test_a_leak_under_speech_is_priced_by_itself() -> None:
    assert leak(1.0, 1) == pytest.approx(leak(1.0, 0))
    assert leak(0.2, 0) == pytest.approx(leak(1.0, 0))
    assert leak(0.2, 1) == pytest.approx(0.2 * leak(1.0, 1))
    assert leak(1.0, 1) > 0
