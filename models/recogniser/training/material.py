"""Training material: utterances as mel powers with frame-wise phonemes, packed afresh into windows at every step.

Mixing happens on mel powers, where sound, noise and typing simply add up, so that no window needs a new transform.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from models.recogniser.training.speech import RATE, Spoken

Mel = NDArray[np.float32]
MELS = 80
_extract = FeatureExtractor()


@dataclass(frozen=True)
class Utterance:
    """Mel powers (80, frames of 10 ms), words with times, phoneme number per frame of 20 ms (0: silence)."""

    power: NDArray[np.float16]
    words: list[tuple[str, float, float]]
    phonemes: NDArray[np.int64]

    @property
    def frames(self) -> int:
        return int(self.power.shape[1])


@dataclass(frozen=True)
class Window:
    """Network input (80, frames) and what is in it: the words of each utterance with their times, and phonemes."""

    mel: Mel
    said: list[list[tuple[str, float, float]]]
    phonemes: NDArray[np.int64]

    @property
    def words(self) -> list[tuple[str, float, float]]:
        return [word for said in self.said for word in said]


def telephone(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """300-3400 Hz and A-law steps, at 16 kHz."""
    size = -(-len(sound) // 1600) * 1600  # a length with a large prime in it takes ten times as long
    spectrum = np.fft.rfft(sound, size)
    hz = np.fft.rfftfreq(size, 1.0 / RATE)
    spectrum *= np.clip((hz - 200.0) / 150.0, 0.0, 1.0) * np.clip((3700.0 - hz) / 300.0, 0.0, 1.0)
    band = np.fft.irfft(spectrum, size)[: len(sound)]
    a = 87.6
    loud = np.abs(band)
    knee = 1.0 / a
    law = np.where(loud < knee, a * loud, 1.0 + np.log(np.maximum(a * loud, 1e-9))) / (1.0 + np.log(a))
    law = np.round(law * 127.0) / 127.0 * (1.0 + np.log(a))
    out = np.sign(band) * np.where(law < 1.0, law / a, np.exp(law - 1.0) / a)
    sounded: NDArray[np.float32] = out.astype(np.float32)
    return sounded


def utterance(spoken: Spoken, band: bool, numbers: dict[str, int]) -> Utterance:
    """Mel powers of one sentence, in the telephone's band if `band`; new phonemes get the next number."""
    sound = telephone(spoken.sound) if band else spoken.sound
    window = np.hanning(401)[:-1].astype(np.float32)
    spectrum = _extract.stft(np.pad(sound, (0, 160)), 400, 160, window=window, return_complex=True)
    power = _extract.mel_filters @ (np.abs(spectrum[..., :-1]) ** 2).astype(np.float32)
    frames = power.shape[1] // 2 * 2
    labels = np.zeros(frames // 2, np.int64)
    for k, (name, at) in enumerate(spoken.phonemes):
        until = spoken.phonemes[k + 1][1] if k + 1 < len(spoken.phonemes) else at
        number = 0 if name.startswith("_") or not name else numbers.setdefault(name, len(numbers) + 1)
        labels[int(at * 50) : int(until * 50) + 1] = number
    return Utterance(np.log10(np.maximum(power[:, :frames], 1e-7)).astype(np.float16), spoken.words, labels)


def save(found: list[Utterance], numbers: dict[str, int], file: Path) -> None:
    """Keep what was spoken, so that a run that goes on need not speak it again."""
    np.savez(
        file,
        power=np.concatenate([one.power for one in found], axis=1),
        phonemes=np.concatenate([one.phonemes for one in found]).astype(np.int16),
        frames=np.array([one.frames for one in found]),
        told=np.array(json.dumps({"words": [one.words for one in found], "numbers": numbers})),
    )


def load(file: Path) -> tuple[list[Utterance], dict[str, int]]:
    """What `save` kept."""
    with np.load(file) as kept:
        power, phonemes, frames = kept["power"], kept["phonemes"].astype(np.int64), kept["frames"]
        told = json.loads(str(kept["told"]))
    ends = np.cumsum(frames)
    found = [
        Utterance(
            power[:, end - size : end],
            [(word, start, stop) for word, start, stop in words],
            phonemes[(end - size) // 2 : end // 2],
        )
        for end, size, words in zip(ends, frames, told["words"], strict=True)
    ]
    return found, told["numbers"]


def pack(
    parts: list[Utterance], length: int, filled: int, rng: np.random.Generator, clean: bool = False
) -> Window:
    """Lay utterances one after the other into `length` frames, of which `filled` hold sound and the rest is zero.

    What does not fit is left out. Noise, hum, typing and gain are drawn for the window.
    """
    power = np.full((MELS, filled), 1e-9, np.float32)
    labels = np.zeros(length // 2, np.int64)
    said: list[list[tuple[str, float, float]]] = []
    at = int(rng.integers(0, 40)) // 2 * 2
    for part in parts:
        if at + part.frames > filled:
            break
        gain = 10.0 ** (rng.uniform(-0.4, 0.4))
        power[:, at : at + part.frames] += gain * 10.0 ** part.power.astype(np.float32)
        labels[at // 2 : at // 2 + len(part.phonemes)] = part.phonemes
        said.append([(word, start + at / 100, end + at / 100) for word, start, end in part.words])
        at += part.frames + int(rng.integers(5, 90)) // 2 * 2
    if not clean:
        power += _surroundings(power, filled, rng)
        power *= 10.0 ** rng.uniform(-2.0, 1.0)
        power *= 10.0 ** (rng.uniform(-0.4, 0.4) * np.linspace(-1, 1, MELS))[:, None].astype(np.float32)
    log = np.log10(np.maximum(power, 1e-10))
    log = (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0
    out = np.zeros((MELS, length), np.float32)
    out[:, :filled] = log
    return Window(out, said, labels)


def _surroundings(power: Mel, frames: int, rng: np.random.Generator) -> Mel:
    loud = float(np.percentile(power.sum(axis=0), 90)) / MELS
    if loud < 1e-6:
        loud = 10.0 ** rng.uniform(-3.0, 0.5)
    level = loud * 10.0 ** (-rng.uniform(1.5, 6.0))
    tilt = 10.0 ** (rng.uniform(-1.2, 0.6) * np.linspace(0.0, 1.0, MELS))
    noise = level * tilt[:, None] * rng.exponential(1.0, (MELS, frames))
    if rng.random() < 0.2:
        band = int(rng.integers(0, 12))
        noise[band] += loud * 10.0 ** (-rng.uniform(1.0, 3.0))
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(2, 14))):
            start = int(rng.integers(0, max(1, frames - 4)))
            click = loud * 10.0 ** rng.uniform(-2.0, 0.6) * rng.exponential(1.0, (MELS, 1))
            fall = np.array([[0.6, 1.0, 0.25, 0.06]])
            noise[:, start : start + 4] += (click * fall)[:, : frames - start]
    out: Mel = noise.astype(np.float32)
    return out
