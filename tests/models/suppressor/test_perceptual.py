"""The listeners that training asks: they must agree with the published figures about what is worse.

Torch is no part of the product: where it is not installed (it is in `var/train`) these tests say so and stand aside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.suppressor.features import BLOCK, RATE, WINDOW, spectrum

pytestmark = pytest.mark.quiet
torch = pytest.importorskip(
    "torch", reason="TORCH IS NOT INSTALLED HERE: the training's own listener is not tested"
)


def voice(rng: np.random.Generator, seconds: float = 6.0) -> np.ndarray:
    """Vowels of moving pitch and colour, with pauses, at -26 dBFS or so."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    pitch = 2 * np.pi * np.cumsum(rng.uniform(100, 200) * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * t))) / RATE
    x = np.zeros(n)
    for k in range(1, 30):
        hz = 130 * k
        colour = np.exp(-(((hz - 600) / 500) ** 2)) + 0.5 * np.exp(-(((hz - 1800) / 600) ** 2)) + 0.02
        x += colour * np.sin(k * pitch + rng.uniform(0, 6))
    x *= (np.sin(2 * np.pi * 1.3 * t + rng.uniform(0, 6)) > -0.3) * (1 + 0.5 * np.sin(2 * np.pi * 3.1 * t))
    return np.asarray(0.05 * x / x.std(), np.float32)


def clicks(rng: np.random.Generator, n: int) -> np.ndarray:
    out = np.zeros(n)
    for at in rng.integers(0, n - 800, n // 3000):
        out[at : at + 800] += rng.standard_normal(800) * np.exp(-np.arange(800) / rng.uniform(20, 200))
    return out


def test_it_orders_harms_as_the_standard_does() -> None:
    pesq = pytest.importorskip("pesq", reason="PESQ IS NOT INSTALLED HERE").pesq
    from models.suppressor.training.perceptual import opinion

    mine, theirs = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        clean = voice(rng)
        struck = clicks(rng, len(clean))
        for gain in (0.0005, 0.005, 0.02, 0.06, 0.2):
            heard = np.asarray(clean + gain * struck, np.float32)
            mine.append(float(opinion(torch.tensor(clean)[None], torch.tensor(heard)[None])))
            theirs.append(pesq(RATE, clean, heard, "wb"))
    first, second = (np.argsort(np.argsort(x)) for x in (mine, theirs))
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert np.corrcoef(mine, theirs)[0, 1] > 0.85


def test_words_are_followed_as_the_published_measure_says() -> None:
    stoi = pytest.importorskip("pystoi", reason="PYSTOI IS NOT INSTALLED HERE").stoi
    from models.suppressor.training.intelligible import followed
    from models.suppressor.training.loss import spectra

    def power(x: np.ndarray) -> Any:
        return spectra(torch.tensor(x)[None]).abs() ** 2 / float(np.mean(x**2))

    mine, theirs = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        clean = voice(rng)
        struck = clicks(rng, len(clean))
        for gain in (0.0, 0.005, 0.02, 0.06, 0.2):
            heard = np.asarray(clean + gain * struck, np.float32)
            mine.append(float(followed(power(clean), power(heard))[0]))
            theirs.append(stoi(clean, heard, RATE, extended=True))
    assert np.corrcoef(mine, theirs)[0, 1] > 0.95
    assert np.allclose(mine[::5], 1, atol=1e-3)


def test_the_same_sound_is_best_and_louder_is_the_same() -> None:
    from models.suppressor.training.perceptual import opinion

    clean = torch.tensor(voice(np.random.default_rng(9)))[None]
    assert float(opinion(clean, clean)) > 4.6
    assert float(opinion(clean, clean * 0.3)) > 4.6


def test_its_slope_is_finite_even_for_silence_and_points_towards_the_speech() -> None:
    from models.suppressor.training.perceptual import opinion

    rng = np.random.default_rng(10)
    clean = torch.tensor(voice(rng))[None]
    added = torch.tensor(0.03 * clicks(rng, clean.shape[1]), dtype=torch.float32)[None]
    share = torch.ones((), requires_grad=True)
    opinion(clean, clean + share * added).mean().backward()
    assert float(share.grad) < 0
    nothing = torch.zeros(1, clean.shape[1], requires_grad=True)
    opinion(clean, nothing).mean().backward()
    assert bool(torch.isfinite(nothing.grad).all())


def test_frames_laid_over_one_another_are_the_sound_again() -> None:
    from models.suppressor.training.loss import spectra
    from models.suppressor.training.perceptual import sound

    x = torch.tensor(voice(np.random.default_rng(11), 1.0))[None]
    whole = spectra(x)
    assert np.allclose(whole[:, 0].numpy()[1], spectrum(x[:, :WINDOW].numpy())[0], atol=1e-4)
    again = sound(whole)
    assert torch.allclose(again[0], x[0, : again.shape[1]], atol=1e-5)
    assert x.shape[1] - again.shape[1] == BLOCK
