"""How much worse a listener finds one signal than another: a smooth relative of wide-band PESQ (ITU-T P.862.2).

Not the standard's scale to the digit, and without its alignment in time, which training does not need: the bands, the
threshold of hearing and the loudness are worked out from textbook formulas. What counts is that it falls and rises
with the standard's own figure; the tests hold it against that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from models.suppressor.features import BLOCK, RATE, WINDOW, window

SIZE = 512
HOP = 256
SPEECH_SPL = 86.0
"""Level of hearing, dB, that the telephone band of each signal is brought to."""
SONE = 0.1866
GAMMA = 0.23
BAND_BARK = 0.43
INTERVAL = 20
"""Frames, a third of a second, of which the worst count most."""
INTERVAL_STEP = 10


@dataclass(frozen=True)
class Ear:
    """What the bands of hearing are."""

    bands: Tensor
    """(257, bands): power of bins to power per Bark."""
    width: Tensor
    """Bark of each band."""
    threshold: Tensor
    """Of hearing, power."""
    exponent: Tensor
    """Of loudness, larger for deep bands."""
    line: Tensor
    """(257,), how much each bin counts for the level."""
    high_pass: Tensor
    """(257,), the listener's own filter, power."""


def _bark(hz: np.ndarray) -> np.ndarray:
    made: np.ndarray = 13 * np.arctan(0.00076 * hz) + 3.5 * np.arctan((hz / 7500) ** 2)
    return made


@cache
def ear(device: torch.device) -> Ear:
    """The bands, for one device."""
    bins = SIZE // 2 + 1
    step = RATE / SIZE
    hz = np.arange(bins) * step
    low, high = _bark(np.maximum(hz - step / 2, 0)), _bark(hz + step / 2)
    number = np.minimum(_bark(hz) // BAND_BARK, np.floor(_bark(np.array(7900.0)) / BAND_BARK)).astype(int)
    names = list(np.unique(number[1:]))
    bands = np.zeros((bins, len(names)))
    width, middle = np.zeros(len(names)), np.zeros(len(names))
    for k, n in enumerate(names):
        inside = (number == n) & (np.arange(bins) > 0)
        width[k] = high[inside].max() - low[inside].min()
        middle[k] = hz[inside].mean()
        bands[inside, k] = 1 / width[k]
    khz = middle / 1000
    quiet = 3.64 * khz**-0.8 - 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
    bark = _bark(middle)
    exponent = GAMMA * np.where(bark < 4, np.minimum(6 / (bark + 2), 2.0) ** 0.15, 1.0)
    line = ((hz > 325) & (hz < 3250)).astype(float)
    # A second-order fall under a hundred hertz, as the standard's wide-band listener has.
    passes = (hz / 100) ** 4 / (1 + (hz / 100) ** 4)

    def fixed(x: np.ndarray) -> Tensor:
        return torch.as_tensor(x, dtype=torch.float32, device=device)

    return Ear(
        fixed(bands), fixed(width), fixed(10 ** (quiet / 10)), fixed(exponent), fixed(line), fixed(passes)
    )


def sound(spectra: Tensor) -> Tensor:
    """Spectra (time, streams, 161) of windowed frames laid over one another: (streams, samples)."""
    shape = torch.as_tensor(window(), device=spectra.device)
    frames = torch.fft.irfft(spectra, WINDOW) * shape
    ends = frames[:-1, :, BLOCK:] + frames[1:, :, :BLOCK]
    return ends.transpose(0, 1).flatten(1)


def _powers(x: Tensor, e: Ear) -> Tensor:
    """(streams, samples) -> (streams, frames, 257), level aligned."""
    hann = torch.hann_window(SIZE, device=x.device)
    y = torch.fft.rfft(x.unfold(1, SIZE, HOP) * hann)
    power = (y.real**2 + y.imag**2) * e.high_pass
    level = (power * e.line).sum(2).mean(1) * (2 / (SIZE * float((hann**2).sum())))
    return (
        power
        * (10 ** (SPEECH_SPL / 10) * 2 / (SIZE * float((hann**2).sum())) / (level + 1e-9))[:, None, None]
    )


def _loudness(power: Tensor, e: Ear) -> Tensor:
    ratio = torch.relu(power / e.threshold - 1)
    return SONE * (e.threshold / 0.5) ** e.exponent * ((1 + 0.5 * ratio) ** e.exponent - 1)


def _smoothed(gain: Tensor) -> Tensor:
    """A gain of each frame leans a fifth on the one before."""
    before = torch.cat([gain[:, :1], gain[:, :-1]], 1)
    return 0.8 * gain + 0.16 * before + 0.04 * torch.cat([before[:, :1], before[:, :-1]], 1)


def _over_time(d: Tensor) -> Tensor:
    """(streams, frames) -> (streams,): the worst frames of each third of a second, then all of them alike."""
    worst = (d.unfold(1, INTERVAL, INTERVAL_STEP) ** 6 + 1e-9).mean(2) ** (1 / 3)
    return (worst.mean(1) + 1e-9) ** 0.5


def opinion(reference: Tensor, heard: Tensor) -> Tensor:
    """What a listener thinks of what is heard beside the reference, (streams, samples) each: 1 bad, 4.6 the same."""
    e = ear(reference.device)
    with torch.no_grad():
        clean = _powers(reference, e) @ e.bands
    dirty = _powers(heard, e) @ e.bands
    with torch.no_grad():
        speaks = (clean * (clean > 100 * e.threshold)).sum(2, keepdim=True) > 1e7
        told = (speaks & (clean > 100 * e.threshold)).float()
        tilt = ((dirty * told).sum(1, keepdim=True) + 1000) / ((clean * told).sum(1, keepdim=True) + 1000)
        clean = clean * tilt.clamp(0.01, 100)
        audible = [(p * (p > e.threshold)).sum(2, keepdim=True) for p in (clean, dirty)]
        swell = _smoothed((audible[0] + 5e3) / (audible[1] + 5e3)).clamp(3e-4, 5)
        loud = _loudness(clean, e)
    dirty = dirty * swell
    also = _loudness(dirty, e)
    gap = also - loud
    with torch.no_grad():
        dead = 0.25 * torch.minimum(also, loud)
        added = ((dirty + 50) / (clean + 50)) ** 1.2
        added = torch.where(added < 3, 0.0, added.clamp(max=12))
        weight = ((audible[0][..., 0] + 1e5) / 1e7) ** 0.04
    harm = torch.relu(gap.abs() - dead)
    whole = e.width.sum()
    symmetric = ((harm * e.width) ** 2 + 1e-9).sum(2).div(whole).sqrt() * whole / weight
    asymmetric = (harm * added * e.width).sum(2) / weight
    raw = 4.5 - 0.128 * _over_time(symmetric.clamp(max=60.0)) - 0.032 * _over_time(asymmetric.clamp(max=60.0))
    return 0.999 + 4 / (1 + torch.exp(-1.3669 * raw + 3.8224))
