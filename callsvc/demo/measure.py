"""What a listener hears of the strokes: the lag between two files, and the strokes' loudness at known times.

A stroke is inaudible when its loudest 8 ms, from 5 ms before the press to 60 ms after it or to the next press, stay
under the room's level + 6 dB, or under -60 dBFS if that is higher. Only strokes in true speech pauses can be judged
so: under speech the loudest 8 ms are the voice. All at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from callsvc.demo.sound import Samples, decibels

RATE = 16_000
BEFORE_S, AFTER_S = 0.005, 0.060
WINDOW, HOP = 128, 64
FLOOR_DBFS, MARGIN_DB = -60.0, 6.0
SHORTEST = 400
PART_S = 0.8


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of the strokes that lie in speech pauses."""

    judged: int
    audible_pct: float
    level_db: float
    """Median of the strokes' loudest 8 ms, dBFS."""
    audible_at_s: tuple[float, ...]


def lag_samples(source: Samples, heard: Samples, longest: int) -> float:
    """By how many samples `heard` runs behind `source` (negative: ahead), from -`longest` to `longest`.

    The peak of the cross-correlation, refined by a parabola; its sign does not matter.
    """
    n = min(len(source), len(heard))
    size = 1 << int(np.ceil(np.log2(2 * n)))
    cross = np.fft.irfft(np.fft.rfft(heard[:n], size) * np.conj(np.fft.rfft(source[:n], size)), size)
    window = np.abs(np.concatenate([cross[-longest:], cross[: longest + 1]]))
    k = int(np.argmax(window))
    shift = 0.0
    if 0 < k < len(window) - 1:
        a, b, c = window[k - 1 : k + 2]
        shift = 0.5 * (a - c) / (a - 2 * b + c + 1e-20)
    return k - longest + float(shift)


def similarity(source: Samples, heard: Samples) -> float:
    """Correlation of two files that are already aligned, 0 to 1."""
    n = min(len(source), len(heard))
    a, b = source[:n], heard[:n]
    scale = float(np.sqrt(np.sum(a**2) * np.sum(b**2)))
    return abs(float(np.dot(a, b))) / scale if scale else 0.0


def advanced(sound: Samples, samples: float, length: int) -> Samples:
    """`sound` moved `samples` earlier (whole samples), cut or filled with silence to `length`."""
    start = round(samples)
    moved = sound[start:] if start >= 0 else np.concatenate([np.zeros(-start), sound])
    return np.concatenate([moved[:length], np.zeros(max(0, length - len(moved)))])


@dataclass(frozen=True, slots=True)
class Words:
    """How the spoken stretches came over: alike from 0 to 1, and by how many seconds their places differ."""

    similarity: float
    spread_s: float


def words(
    source: Samples, heard: Samples, speech_s: Sequence[tuple[float, float]], most_s: float = 0.25
) -> Words:
    """Compare part by part of a second at most, each where it fits best within `most_s`: a listener does not mind
    20 ms more or less. Both at 16 kHz, aligned as a whole.
    """
    most = int(most_s * RATE)
    parts = [
        (start + k * (end - start) / n, start + (k + 1) * (end - start) / n)
        for start, end in speech_s
        for n in [max(1, round((end - start) / PART_S))]
        for k in range(n)
    ]
    lags: list[float] = []
    product = power = other = 0.0
    for start_s, end_s in parts:
        start, end = int(start_s * RATE), min(int(end_s * RATE), len(source), len(heard))
        part = source[start:end]
        if len(part) < most:
            continue
        lag = lag_samples(part, heard[start:end], most)
        there = advanced(heard[max(0, start + round(lag)) :], 0, len(part))
        product += abs(float(np.dot(part, there)))
        power += float(np.dot(part, part))
        other += float(np.dot(there, there))
        lags.append(lag / RATE)
    if not lags or not other:
        return Words(0.0, 0.0)
    return Words(product / float(np.sqrt(power * other)), max(lags) - min(lags))


def strokes(
    sound: Samples,
    at_s: Sequence[float],
    speech_s: Sequence[tuple[float, float]],
    room_dbfs: float,
    slack_s: float = 0.0,
) -> Heard:
    """Judge the strokes at `at_s` in `sound` (16 kHz, aligned with the labels within `slack_s`).

    Slack widens every window at both ends: rather another stroke's rest is counted than this one's missed.
    """
    threshold = max(room_dbfs + MARGIN_DB, FLOOR_DBFS)
    levels: list[float] = []
    audible: list[float] = []
    for k, press in enumerate(at_s):
        begin, finish = press - BEFORE_S, press + AFTER_S
        if k + 1 < len(at_s):
            finish = min(finish, at_s[k + 1] - BEFORE_S)
        begin, finish = begin - slack_s, finish + slack_s
        if any(a < finish and b > begin for a, b in speech_s):
            continue
        start, end = max(0, int(begin * RATE)), int(finish * RATE)
        if end - start < SHORTEST or end > len(sound):
            continue
        level = loudest_dbfs(sound[start:end])
        levels.append(level)
        if level > threshold:
            audible.append(press)
    if not levels:
        return Heard(0, 0.0, -140.0, ())
    return Heard(len(levels), 100.0 * len(audible) / len(levels), float(np.median(levels)), tuple(audible))


def loudest_dbfs(sound: Samples) -> float:
    """Level of the loudest 8 ms."""
    starts = range(0, len(sound) - WINDOW + 1, HOP)
    return max(float(decibels(float(np.mean(sound[i : i + WINDOW] ** 2)))) for i in starts)
