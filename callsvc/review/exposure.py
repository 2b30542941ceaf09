"""A hint of what is coming, before one hears it: stretches that are loud, crying-like or silent for long.

    20 frames a second and leg: level, pitch  ─►  how this person mostly sounds  ─►  what stands out for a while

Nobody's feelings are known here. A laugh can look like crying and a child like a scream: it is a hint for whoever
decides whether to listen now, and with the sound how loud; it is kept nowhere and counted in nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsvc.review.source import Source, length_s, stretch
from callsvc.types import Leg, Track

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

FRAMES_A_SECOND: Final = 20
RATE: Final = 8000
HOP: Final = RATE // FRAMES_A_SECOND
SIZE: Final = 512
CHUNK_S: Final = 20.0

LOWEST_HZ, HIGHEST_HZ = 70, 800
VOICED: Final = 0.5
"""Share of a frame that repeats itself with the pitch."""
HEARD_DB: Final = -50.0
LOUD_OVER_DB: Final = 10.0
LOUD_DB: Final = -26.0
HIGH_HZ: Final = 280.0
HIGH_TIMES: Final = 1.4
MOVES_SEMITONES: Final = 0.4
"""A tone that does not move is a telephone's and no person's."""
SILENT_S: Final = 10.0


class Kind(StrEnum):
    LOUD = "loud"
    CRYING = "crying"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`leg` is None for a silence of both."""

    start_ms: int
    end_ms: int
    kind: Kind
    leg: Leg | None


@dataclass(frozen=True, slots=True)
class Outline:
    """Level in dBFS and pitch in Hz (0 where there is none) of each frame."""

    level: Float
    pitch: Float


def exposure(source: Source) -> list[Stretch]:
    """What stands out, in the order of the call."""
    legs = [(Leg.CALLER, Track.CALLER_RX), (Leg.OPERATOR, Track.OPERATOR_TX)]
    outlines = {leg: outline(source, track) for leg, track in legs if track in source.tracks}
    found = []
    for leg, one in outlines.items():
        found += [Stretch(*at, Kind.LOUD, leg) for at in _runs(_loud(one), least_s=0.4, bridge_s=1.5)]
        found += [Stretch(*at, Kind.CRYING, leg) for at in _runs(_crying(one), least_s=1.5, bridge_s=2.0)]
    if outlines:
        quiet = np.logical_and.reduce(_equal(_mean(one.level, 0.4) < HEARD_DB for one in outlines.values()))
        found += [Stretch(*at, Kind.SILENT, None) for at in _runs(quiet, least_s=SILENT_S, bridge_s=0.3)]
    return sorted(found, key=lambda one: (one.start_ms, one.kind, one.leg or ""))


def outline(source: Source, track: str) -> Outline:
    """Level and pitch of a whole track, read a piece at a time."""
    rate, seconds = source.tracks[track].rate_hz, length_s(source)
    levels, pitches = [], []
    at = 0.0
    while at < seconds:
        piece = stretch(source, track, at, CHUNK_S + SIZE / RATE).astype(np.float32) / np.float32(32768)
        level, pitch = frames(_to_rate(piece, rate), round(CHUNK_S * FRAMES_A_SECOND))
        levels.append(level)
        pitches.append(pitch)
        at += CHUNK_S
    count = int(seconds * FRAMES_A_SECOND)
    return Outline(np.concatenate(levels or [_none()])[:count], np.concatenate(pitches or [_none()])[:count])


def frames(sound: Float, count: int) -> tuple[Float, Float]:
    """Level and pitch of `count` frames of sound at RATE."""
    needed = (count - 1) * HOP + SIZE
    padded = np.pad(sound, (0, max(0, needed - len(sound))))
    cut = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][:count]
    power = np.einsum("nk,nk->n", cut, cut) / SIZE
    level = (10 * np.log10(np.maximum(power, 1e-10))).astype(np.float32)
    pitch = np.zeros(count, np.float32)
    heard = level >= HEARD_DB
    if heard.any():
        pitch[heard] = _pitch(cut[heard])
    return level, pitch


def _pitch(cut: Float) -> Float:
    """By autocorrelation, made even for the ever shorter overlap; 0 where nothing repeats itself."""
    spectra = np.fft.rfft(cut - cut.mean(axis=1, keepdims=True), 2 * SIZE)
    same = np.fft.irfft(spectra.real**2 + spectra.imag**2)[:, :SIZE]
    same = same / np.maximum(same[:, :1], 1e-9) * (SIZE / (SIZE - np.arange(SIZE)))
    lags = np.arange(RATE // HIGHEST_HZ, RATE // LOWEST_HZ + 1)
    of = same[:, lags]
    best = of.max(axis=1)
    # Twice the period repeats as well as the period: the shortest lag that is a peak and nearly the best is it.
    peak = np.zeros_like(of, dtype=bool)
    peak[:, 1:-1] = (
        (of[:, 1:-1] >= of[:, :-2]) & (of[:, 1:-1] >= of[:, 2:]) & (of[:, 1:-1] >= 0.85 * best[:, None])
    )
    lag = lags[peak.argmax(axis=1)]
    found: Float = np.where(peak.any(axis=1) & (best >= VOICED), RATE / lag, 0).astype(np.float32)
    return found


def _loud(one: Outline) -> Bool:
    """Well above how this person mostly speaks here, and loud in itself."""
    voiced = one.level[one.pitch > 0]
    usual = float(np.median(voiced)) if len(voiced) else HEARD_DB
    smooth = _mean(one.level, 0.2)
    loud: Bool = smooth > max(usual + LOUD_OVER_DB, LOUD_DB)
    return loud


def _crying(one: Outline) -> Bool:
    """A voice far above its own usual pitch, and moving, through a good part of three seconds."""
    voiced = one.pitch[one.pitch > 0]
    if not len(voiced):
        return np.zeros(len(one.pitch), bool)
    high = one.pitch >= max(HIGH_HZ, HIGH_TIMES * float(np.quantile(voiced, 0.3)))
    span = 3 * FRAMES_A_SECOND
    share = _mean(high.astype(np.float32), 3.0)
    height = np.where(high, 12 * np.log2(np.maximum(one.pitch, 1) / HIGH_HZ), np.nan)
    moves = np.zeros(len(high), bool)
    for at in np.flatnonzero(share >= 0.3):
        around = height[max(0, at - span // 2) : at + span // 2]
        moves[at] = np.nanstd(around) >= MOVES_SEMITONES if np.isfinite(around).any() else False
    return moves


def _mean(values: Float, seconds: float) -> Float:
    """Over so many seconds around each frame."""
    n = max(1, round(seconds * FRAMES_A_SECOND))
    if len(values) == 0:
        return values
    total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    at = np.arange(len(values))
    first, last = np.maximum(0, at - n // 2), np.minimum(len(values), at - n // 2 + n)
    mean: Float = ((total[last] - total[first]) / (last - first)).astype(np.float32)
    return mean


def _equal(masks: Iterable[Bool]) -> list[Bool]:
    """Of one length: beyond its end a leg is silent."""
    those = list(masks)
    longest = max(len(one) for one in those)
    return [np.pad(one, (0, longest - len(one)), constant_values=True) for one in those]


def _runs(mask: Bool, *, least_s: float, bridge_s: float) -> list[tuple[int, int]]:
    """Stretches in milliseconds where it holds, breaks of up to `bridge_s` included, for `least_s` or longer."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] <= bridge_s * FRAMES_A_SECOND:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    frame_ms = 1000 // FRAMES_A_SECOND
    return [(a * frame_ms, b * frame_ms) for a, b in runs if b - a >= least_s * FRAMES_A_SECOND]


def _to_rate(sound: Float, rate: int) -> Float:
    """Down to RATE by the mean of neighbours: enough for level and pitch."""
    step = rate // RATE
    if step <= 1:
        return sound
    cut = sound[: len(sound) // step * step].reshape(-1, step)
    lower: Float = cut.mean(axis=1)
    return lower


def _none() -> Float:
    return np.zeros(0, np.float32)
