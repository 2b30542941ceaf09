"""Everything training draws from, at 16 kHz, made once: voices, strokes, rooms and noises."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from models.suppressor.training import synthetic
from models.suppressor.training.codecs import LINES, coded
from models.suppressor.training.swedish import SENTENCES, VOICES

RATE = 16_000
ACTIVE_DB = -26.0
KEY_RATES = (0.82, 0.91, 1.0, 1.1, 1.22)
HELD_OUT_KEYBOARDS = (
    "macbookair",
    "topre-purple-hybrid-pbt",
    "cherrymx-brown-abs",
    "cherrymx-brown-pbt",
    "kbsim_cream",
    "kbsim_bluealps",
    "kbsim_mxbrown",
)
HELD_OUT_SPEAKERS = 20
Samples = NDArray[np.float32]


@dataclass
class Utterance:
    """Speech at -26 dBFS, where it may be cut, and what its own background sounds like."""

    speaker: str
    samples: NDArray[np.int16]
    cuts: NDArray[np.int64]
    background: NDArray[np.int16]


@dataclass
class Stroke:
    """One key, its press at `press` samples, relative to its keyboard's median peak."""

    press: int
    samples: Samples
    release: Samples | None


@dataclass
class Bank:
    """What the mixer draws from."""

    speakers: dict[str, list[Utterance]] = field(default_factory=dict)
    keyboards: dict[str, list[Stroke]] = field(default_factory=dict)

    def without(self, speakers: set[str], keyboards: set[str]) -> Bank:
        """The bank less whole speakers and whole keyboards (with their variants)."""
        return Bank(
            {k: v for k, v in self.speakers.items() if k.split("~")[0] not in speakers},
            {k: v for k, v in self.keyboards.items() if k.split("~")[0] not in keyboards},
        )


def resample(x: NDArray[Any], old: int, new: int) -> NDArray[Any]:
    if old == new:
        return x
    g = gcd(old, new)
    y: NDArray[Any] = resample_poly(x, new // g, old // g)
    return y


def read(path: Path, rate: int = RATE) -> NDArray[np.float64]:
    x, old = soundfile.read(path)
    return resample(x.mean(1) if x.ndim > 1 else x, old, rate)


def frame_db(x: NDArray[Any], ms: int) -> NDArray[np.float64]:
    n = RATE * ms // 1000
    m = len(x) // n
    mean = np.mean(np.asarray(x[: m * n], np.float64).reshape(m, n) ** 2, axis=1)
    return np.asarray(10 * np.log10(mean + 1e-12))


def active_db(x: NDArray[Any]) -> float:
    """Level of the frames of 20 ms within 25 dB of the loud ones."""
    f = frame_db(x, 20)
    loud = f[f > np.percentile(f, 95) - 25]
    return float(10 * np.log10(np.mean(10 ** (loud / 10))))


def pauses(x: NDArray[Any]) -> NDArray[np.int64]:
    """Middles of the stretches of 100 ms and more that lie 24 dB under the speech."""
    quiet = np.concatenate([[False], frame_db(x, 10) < ACTIVE_DB - 24, [False]]).astype(np.int8)
    edges = np.diff(quiet)
    starts, ends = np.where(edges == 1)[0], np.where(edges == -1)[0]
    return np.array([(a + b) * 80 for a, b in zip(starts, ends, strict=True) if b - a >= 10], np.int64)


def background(x: NDArray[Any], rng: np.random.Generator, seconds: float = 3.2) -> NDArray[np.float64]:
    """Noise with the spectrum of the signal's quietest stretches."""
    size = 512
    w = np.hanning(size)
    starts = np.arange(0, len(x) - size, size // 2)
    spectra = np.abs(np.fft.rfft(x[starts[:, None] + np.arange(size)] * w, axis=1))
    quiet = np.argsort((spectra**2).sum(1))[: max(3, len(starts) * 8 // 100)]
    shape = np.sqrt(np.mean(spectra[quiet] ** 2, axis=0))
    hops = int(seconds * RATE) // (size // 2)
    y = np.zeros((hops + 2) * size // 2)
    for k in range(hops):
        phase = np.exp(2j * np.pi * rng.random(len(shape)))
        y[k * size // 2 : k * size // 2 + size] += w * np.fft.irfft(shape * phase, size)
    return np.asarray(y[size // 2 : hops * size // 2] * np.sqrt(2 / 1.5) * 0.8)


def _pcm(x: NDArray[Any]) -> NDArray[np.int16]:
    return np.clip(np.round(x * 32767), -32768, 32767).astype(np.int16)


def utterance(speaker: str, x: NDArray[Any], rng: np.random.Generator) -> Utterance:
    x = x * 10 ** ((ACTIVE_DB - active_db(x)) / 20)
    return Utterance(speaker, _pcm(x), pauses(x), _pcm(background(x, rng)))


def _spoken(pool: Path, rng: np.random.Generator) -> Iterator[Utterance]:
    for row in json.loads((pool / "speech/speech.json").read_text()):
        x = read(pool / "speech" / row["file"])
        yield utterance(row["speaker"], x, rng)
        if row["speaker"] == "kerstin":
            continue
        for name, up, down in (("slow", 11, 10), ("fast", 9, 10)):
            yield utterance(f"{row['speaker']}~{name}", resample_poly(x, up, down), rng)
        if rng.random() < 0.3:
            line = LINES[int(rng.integers(len(LINES)))]
            yield utterance(f"{row['speaker']}~line", coded(x, line), rng)
        if rng.random() < 0.35:
            yield utterance(f"{row['speaker']}~whisper", synthetic.whisper(x, rng), rng)
    for path in sorted((pool / "more_speech").glob("*/*.ogg")):
        x = read(path)
        if len(x) > 1.5 * RATE:
            yield utterance(path.parent.name.replace("kerstin_de", "kerstin"), x, rng)


def _espeak(rng: np.random.Generator) -> Iterator[Utterance]:
    program = shutil.which("espeak-ng")
    if program is None:
        print("espeak-ng is not installed: no Swedish voices in this bank", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        for voice in VOICES:
            for text in rng.choice(SENTENCES, 12, replace=False):
                pace, pitch = str(int(rng.integers(130, 220))), str(int(rng.integers(20, 80)))
                said = subprocess.run(
                    [program, "-v", voice, "-s", pace, "-p", pitch, "-w", str(path), str(text)],
                    check=False,
                    capture_output=True,
                )
                if said.returncode == 0 and path.exists():
                    x = read(path)
                    x = np.pad(x, (800, 2400)) + 10 ** (rng.uniform(-80, -62) / 20) * rng.standard_normal(
                        len(x) + 3200
                    )
                    yield utterance(f"espeak-{voice}", x, rng)


def _over_the_line(strokes: list[Stroke], line: tuple[str, str, int]) -> Iterator[Stroke]:
    """The same strokes as a coder hands them on, one after another through one coder."""
    gap = np.zeros(1600, np.float32)
    pieces = [p for s in strokes for p in (gap, s.samples, *(() if s.release is None else (gap, s.release)))]
    y = coded(np.concatenate([*pieces, gap]), line).astype(np.float32)
    at = 0

    def cut(x: Samples) -> Samples:
        nonlocal at
        at += len(gap)
        out = y[at : at + len(x)]
        at += len(x)
        return out

    for s in strokes:
        yield Stroke(s.press, cut(s.samples), None if s.release is None else cut(s.release))


def _strokes(pool: Path, rng: np.random.Generator) -> Iterator[tuple[str, Stroke]]:
    for keyboard, rows in json.loads((pool / "keys/keys.json").read_text()).items():
        median = float(np.median([r["peak_dbfs"] for r in rows]))
        plain: list[Stroke] = []
        for row in rows:
            gain = 10 ** ((np.clip(row["peak_dbfs"] - median, -6, 6) - row["peak_dbfs"]) / 20)
            x, rate = soundfile.read(pool / "keys" / row["file"])
            back = soundfile.read(pool / "keys" / row["rel_file"])[0] if row["rel_file"] else None
            for speed in KEY_RATES:
                old = round(rate / 100 * speed) * 100

                def fit(y: NDArray[Any], old: int = old, gain: float = gain) -> Samples:
                    z = resample(y, old, RATE) * gain
                    fade = min(160, len(z))
                    z[len(z) - fade :] *= np.linspace(1, 0, fade)
                    return z.astype(np.float32)

                press = int(row["press_s"] * rate / old * RATE)
                stroke = Stroke(press, fit(x), None if back is None else fit(back))
                if speed == 1.0:
                    plain.append(stroke)
                yield f"{keyboard}~{speed}", stroke
        for stroke in _over_the_line(plain, LINES[int(rng.integers(len(LINES)))]):
            yield f"{keyboard}~line", stroke
    for name, strokes in synthetic.keyboards(rng):
        for press, x, release in strokes:
            yield name, Stroke(press, x, release)


def held_out_speakers(pool: Path) -> set[str]:
    """Every sixth of the readers, by name."""
    rows = json.loads((pool / "speech/speech.json").read_text())
    readers = sorted({r["speaker"] for r in rows} - {"kerstin"})
    return set(readers[:: len(readers) // HELD_OUT_SPEAKERS][:HELD_OUT_SPEAKERS])


def build(pool: Path, seed: int) -> Bank:
    """The whole bank; which part is held out is decided when it is used."""
    rng = np.random.default_rng([seed, 1])
    bank = Bank()
    for source in (_spoken(pool, rng), _espeak(rng)):
        for u in source:
            bank.speakers.setdefault(u.speaker, []).append(u)
    for name, stroke in _strokes(pool, rng):
        bank.keyboards.setdefault(name, []).append(stroke)
    return bank
