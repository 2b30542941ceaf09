"""Who heard what of the demonstration's scene: the words by correlation, the typing by how loud it is in pauses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from audio import files
from audio.resample import to_int16, whole
from callsvc.demo import measure
from callsvc.demo.composition import Scene, compose
from tests.support.node import Node

RATE = 16_000
SLACK_S = 0.04
LONGEST_LAG_S = 3.0
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Hearing:
    """How a recording compares with what was said into the microphone."""

    words: float
    """0 to 1."""
    strokes: int
    """How many were judged."""
    before_db: float
    after_db: float
    audible_pct: float


def scene(length_s: float) -> Scene:
    """The first seconds of the demonstration: both voices, and the operator types."""
    return compose().cut(length_s)


def piece(of: Scene, start_s: float, end_s: float) -> Scene:
    """A part of a scene, with times from its own beginning."""
    first, last = (int(at_s * 48_000) for at_s in (start_s, end_s))
    return Scene(
        of.operator[first:last],
        of.caller[first:last],
        tuple(round(at_s - start_s, 4) for at_s in of.strokes_s if start_s < at_s < end_s - 0.1),
        tuple(
            (max(a, start_s) - start_s, min(b, end_s) - start_s)
            for a, b in of.speech_s
            if a < end_s and b > start_s
        ),
        of.room_dbfs,
    )


def at(sound: NDArray[np.floating], rate_hz: int) -> NDArray[np.int16]:
    """A microphone of the scene (48 kHz) as whole numbers at another rate."""
    return to_int16(whole(np.asarray(sound, np.float32), 48_000, rate_hz))


def wav(path: Path, sound: NDArray[np.floating], rate_hz: int, tail_s: float = 0.0) -> Path:
    """A microphone of the scene as a file, with silence behind it: a telephone hangs up at the end of its file."""
    with files.WavWriter(path, rate_hz) as file:
        file.write(np.concatenate([at(sound, rate_hz), np.zeros(int(tail_s * rate_hz), np.int16)]))
    return path


def judge(of: Scene, microphone: NDArray[np.floating], heard: Sound) -> Hearing:
    """`heard` is at 16 kHz, in +-1.0, and may begin earlier or later than the microphone."""
    said = whole(np.asarray(microphone, np.float32), 48_000, RATE).astype(np.float64)
    size = len(said) + int(LONGEST_LAG_S * RATE)
    padded = np.concatenate([said, np.zeros(size - len(said))])
    other = np.concatenate([heard, np.zeros(max(0, size - len(heard)))])
    lag = measure.lag_samples(padded, other, int(LONGEST_LAG_S * RATE))
    there = measure.advanced(heard, lag, len(said))
    before = measure.strokes(said, of.strokes_s, of.speech_s, of.room_dbfs)
    after = measure.strokes(there, of.strokes_s, of.speech_s, of.room_dbfs, SLACK_S)
    return Hearing(
        measure.words(said, there, of.speech_s).similarity,
        after.judged,
        before.level_db,
        after.level_db,
        after.audible_pct,
    )


def gone(heard: Hearing, words: float = 0.6) -> bool:
    """Whether the typing is gone and the words are there."""
    faded = heard.before_db - heard.after_db > 15
    return heard.words > words and heard.strokes > 10 and faded and heard.audible_pct <= 10


def loudness_db(heard: Sound) -> float:
    """Of the loudest tenth of a second, dBFS."""
    step = RATE // 10
    parts = [heard[k : k + step] for k in range(0, len(heard) - step + 1, step)]
    return max(float(10 * np.log10(float(np.mean(part**2)) + 1e-14)) for part in parts)


def tones(heard: Sound, *frequencies_hz: float) -> float:
    """The largest share that tones of these frequencies together have of any 50 ms that are not silent, 0 to 1."""
    step = RATE // 20
    waves = [np.exp(-2j * np.pi * hz * np.arange(step) / RATE) for hz in frequencies_hz]
    shares = []
    for k in range(0, len(heard) - step + 1, step // 2):
        part = heard[k : k + step]
        energy = float(np.sum(part**2))
        if energy > step * 1e-5:
            shares.append(sum(2 * abs(np.dot(part, wave)) ** 2 / step for wave in waves) / energy)
    return float(max(shares, default=0.0))


def likeness(said: NDArray[np.floating], heard: Sound) -> float:
    """How alike what was heard is to a microphone of the scene, 0 to 1."""
    return alike(whole(np.asarray(said, np.float32), 48_000, RATE).astype(np.float64), heard)


def alike(source: Sound, heard: Sound) -> float:
    """Correlation of stretches of 0.8 s, each at its own best lag, weighted by their energy; 0 to 1. Both at 16 kHz.

    Stretches, because a jitter buffer may put in or leave out a frame between two of them.
    """
    step = RATE * 8 // 10
    found, energies = [], []
    for start in range(0, len(source) - step, step):
        part = source[start : start + step]
        cross = np.abs(correlate(heard, part, "valid"))
        lag = int(cross.argmax())
        energies.append(float(np.sum(part**2)))
        found.append(cross[lag] / np.sqrt(energies[-1] * np.sum(heard[lag : lag + step] ** 2) + 1e-9))
    return float(np.average(found, weights=energies))


def kept_share(source: Sound, heard: Sound) -> float:
    """How much of a sound, by its energy, is found again as it was: stretches of 0.1 s, each near its place. Both at 16 kHz.

    Where a packet is late the node puts in or leaves out a frame for the ear, and not for the record. A stretch in which that
    happens is like neither; those before and behind it are what they were, 20 ms apart.
    """
    step, around = RATE // 10, RATE * 3 // 10
    lag = round(measure.lag_samples(source, heard, int(LONGEST_LAG_S * RATE)))
    kept = whole_energy = 0.0
    for start in range(0, len(source) - step, step):
        part = source[start : start + step]
        first = max(0, start + lag - around)
        near = heard[first : start + lag + step + around]
        energy = float(np.sum(part**2))
        whole_energy += energy
        if len(near) < step or not energy:
            continue
        powers = np.convolve(near**2, np.ones(step), "valid")
        found = np.abs(correlate(near, part, "valid")) / np.sqrt(energy * powers + 1e-9)
        kept += energy * bool(found.max() > 0.95)
    return kept / (whole_energy + 1e-9)


def let_through(node: Node, call: str) -> bool:
    """Whether the node says that this call lost its suppressor: on a machine that is too busy for it."""
    return any(
        event["call"] == call and event["kind"] == "call.degraded" and event["fields"]["what"] == "suppressor"  # type: ignore[index]
        for event in node.events()
    )
