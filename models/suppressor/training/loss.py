"""What training makes small: harm to speech, what is left of strokes, and misjudged keys and voices."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from models.suppressor.features import BLOCK, LOG_SCALE, LOG_SHIFT, POWER_SCALE, STEPS, WINDOW, window
from models.suppressor.features import FLOOR as FEATURE_FLOOR
from models.suppressor.training.intelligible import followed
from models.suppressor.training.perceptual import opinion, sound

REFERENCE_DB = -26.0
COMPRESS = 0.3
LINE = slice(6, 69)
"""The bins of a telephone line, 300-3400 Hz."""
SNR_FLOOR = 2e-4
"""Share of the speech's power under which errors are no longer worth the trouble."""
FLOOR = 1e-8
"""Power, at the reference level, under which nothing is told apart."""


@dataclass(frozen=True)
class Prices:
    """Weights of the parts."""

    lost: float = 1.6
    """How much dearer lost speech is than what is left over."""
    magnitude: float = 60.0
    complex: float = 24.0
    leak: float = 3.0
    spoken: float = 1.0
    """What a leak counts for while somebody speaks: less when 0.2, for there it is heard the least, and costs speech."""
    silence: float = 0.2
    snr: float = 0.04
    opinion: float = 0.15
    """For each point that the training's own listener takes off."""
    words: float = 2.0
    keys: float = 0.12
    voice: float = 0.03


@dataclass
class Batch:
    """Spectra and labels, (time, streams, ...), of a batch from the mixer."""

    mix: Tensor
    speech: Tensor
    keys: Tensor
    voice: Tensor
    threshold_db: Tensor
    line_threshold_db: Tensor
    speech_db: Tensor


def frames(x: Tensor) -> Tensor:
    """(streams, samples) -> (time, streams, 320): the newest 320 samples after each block."""
    padded = torch.nn.functional.pad(x, (WINDOW - BLOCK, 0))
    return padded.unfold(1, WINDOW, BLOCK).transpose(0, 1)


def spectra(x: Tensor) -> Tensor:
    """(streams, samples) -> (time, streams, 161)."""
    shape = torch.as_tensor(window(), device=x.device)
    return torch.fft.rfft(frames(x) * shape)


def _squeezed(power: Tensor) -> Tensor:
    return torch.exp(torch.log(power + FLOOR) * (COMPRESS / 2))


def level_db(power: Tensor, bins: slice = slice(None)) -> Tensor:
    """Level of frames of scaled power spectra (time, streams, 161), dB."""
    return 10 * torch.log10(power[..., bins].sum(-1) * 2 / WINDOW + 1e-11)


def cost(gains: Tensor, keys: Tensor, voice: Tensor, batch: Batch, prices: Prices) -> dict[str, Tensor]:
    """The parts of the loss; their sum is what is trained."""
    talks = torch.isfinite(batch.speech_db)
    # Neighbouring frames overlap by half: one in two, the odd or the even, tells the same for half the work.
    begin = 1 + int(torch.randint(2, ()))
    whole = gains
    gains = gains[begin::2]
    with torch.no_grad():
        mix, speech = batch.mix[begin - 1 : -1 : 2], batch.speech[begin - 1 : -1 : 2]
        shift = torch.where(talks, REFERENCE_DB - torch.nan_to_num(batch.speech_db), 0.0)
        scale = (10 ** (shift / 10)).clamp(0.01, 150.0)[None, :, None] * float(POWER_SCALE)
        mix_p = (mix.real**2 + mix.imag**2) * scale
        speech_p = (speech.real**2 + speech.imag**2) * scale
        shared = (mix.real * speech.real + mix.imag * speech.imag) * scale
        speech_c = _squeezed(speech_p)
        # Twice the squeezed speech times the cosine between mix and speech.
        aligned = 2 * speech_c * shared / torch.sqrt((mix_p + FLOOR) * (speech_p + FLOOR))
        allowed = torch.maximum(batch.threshold_db[None] - 5.0, level_db(speech_p) - shift + 2.0)
        line_allowed = torch.maximum(
            batch.line_threshold_db[None] - 5.0, level_db(speech_p, LINE) - shift + 2.0
        )
        signal = speech_p.sum((0, 2))
        speech_c2 = speech_c**2
    out_p = gains**2 * mix_p
    out_c = _squeezed(out_p)
    gap = out_c - speech_c
    magnitude = (gap**2 * torch.where(gap < 0, prices.lost, 1.0)).mean()
    phase = (out_c**2 - out_c * aligned + speech_c2).mean()

    out_db = level_db(out_p) - shift
    over = torch.stack([out_db - allowed, level_db(out_p, LINE) - shift - line_allowed])
    leak = torch.relu(over) / 10
    leak = (leak + 0.3 * leak**2) * torch.where(batch.voice[begin::2] > 0, prices.spoken, 1.0)
    alone = (~talks).float()[None].expand_as(out_db)
    silence = (torch.relu(out_db + 95.0) / 20 * alone).mean()

    noise = out_p.sum((0, 2)) - 2 * (gains * shared).sum((0, 2)) + signal
    ratio = 10 * torch.log10((noise.clamp(min=0) + SNR_FLOOR * signal + 1e-6) / (signal + 1e-6))
    snr = (ratio * talks.float()).sum() / talks.float().sum().clamp(min=1.0)

    # What a listener would say of half of the streams with speech, and how well the other half can be followed.
    worse = lost_words = gains.new_zeros(())
    some = talks.nonzero()[:, 0]
    some = some[torch.randperm(len(some))]
    if len(some) > 1:
        by_ear, by_word = some[::2], some[1::2]
        made = sound(batch.mix[:-1, by_ear] * whole[1:, by_ear])
        worse = 4.64 - opinion(sound(batch.speech[:-1, by_ear]), made).mean()
        told = batch.speech[:-1, by_word], batch.mix[:-1, by_word]
        clean_p, mixed_p = ((z.real**2 + z.imag**2) * scale[0, by_word] for z in told)
        words = followed(clean_p, mixed_p * whole[1:, by_word] ** 2)
        lost_words = (1 - words).sum() / max(len(words), 1)

    judged = (batch.keys >= 0).float()
    weight = judged * torch.where(batch.keys > 0, 3.0, 1.0)
    struck = cross_entropy(keys, (batch.keys > 0).float(), weight=weight)
    said = cross_entropy(voice, batch.voice.float())
    return {
        "magnitude": prices.magnitude * magnitude,
        "complex": prices.complex * phase,
        "leak": prices.leak * leak.mean(),
        "silence": prices.silence * silence,
        "snr": prices.snr * snr,
        "opinion": prices.opinion * worse,
        "words": prices.words * lost_words,
        "keys": prices.keys * struck,
        "voice": prices.voice * said,
    }


def features(x: Tensor, spectrum: Tensor) -> Tensor:
    """The same numbers as models.suppressor.features.features, for whole stretches: (time, streams, 177)."""
    power = (spectrum.real**2 + spectrum.imag**2) * float(POWER_SCALE)
    before = torch.nn.functional.pad(x, (1, 0))[:, :-1]

    def steps(y: Tensor) -> Tensor:
        cut = y.reshape(y.shape[0], -1, STEPS, BLOCK // STEPS)
        return (cut**2).mean(-1).transpose(0, 1)

    both = torch.cat([power, steps(x), steps(x - before)], -1)
    return torch.log(both + FEATURE_FLOOR) * float(LOG_SCALE) + float(LOG_SHIFT)
