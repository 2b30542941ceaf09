"""Each keystroke of a stretch: how loud at the microphone, and what the caller was left with at the same instant.

The raw microphone is listened to by the same network and the same rule as in the call, so that the strokes here are the
strokes of its proof. Where nobody kept the raw microphone there is nothing to find them in, and nothing is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.suppressor import RATE, Network, Suppressor
from audio.suppressor.frames import BLOCK
from audio.suppressor.meter import ABOVE_FLOOR, LEAD, LEAST, LONG, SPOKEN, STEP, TRAIL, decibels, loudest
from callsvc.review.source import Source, length_s, stretch
from callsvc.types import Track

WINDOW_S: Final = 30.0
"""As much is looked at at once: an hour of it all would take a minute."""
LEAD_S: Final = 2.0
"""What the network hears first, to know the room."""
TAIL_S: Final = 0.3

Energy = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """A keystroke. Levels are of its loudest 8 ms, in dBFS. Under speech (`spoken`) the levels are the voice's, and
    whether it was heard cannot be judged."""

    at_ms: int
    before_db: float
    after_db: float
    audible_before: bool
    audible_after: bool
    spoken: bool


def can_look(source: Source) -> bool:
    """Whether both the microphone and what the caller heard were kept, as the suppressor knows them."""
    return all(
        name in source.tracks and source.tracks[name].rate_hz == RATE
        for name in (Track.OPERATOR_RX, Track.OPERATOR_TX)
    )


def strokes(network: Network, source: Source, from_s: float) -> list[Heard]:
    """Those that begin in the window from `from_s`, in their order."""
    first_s = max(0.0, from_s - LEAD_S)
    seconds = min(from_s + WINDOW_S + TAIL_S, length_s(source)) - first_s
    if seconds <= TAIL_S:
        return []
    raw, heard = (
        stretch(source, name, first_s, seconds).astype(np.float32) / np.float32(32768)
        for name in (Track.OPERATOR_RX, Track.OPERATOR_TX)
    )
    finder = Suppressor(network, voices=True)
    finder.process(raw)
    places = [one.at_samples // STEP for one in finder.strokes]
    spoken = _long(finder.voices())
    before, after = _steps(raw), _steps(heard)
    limit = max(_floor(before) * ABOVE_FLOOR, LEAST)
    found = []
    for n, at in enumerate(places):
        end = min([at + TRAIL, *(later - LEAD for later in places[n + 1 : n + 2])])
        window = slice(max(0, at - LEAD), max(at + 1, end))
        at_s = first_s + at * STEP / RATE
        if not from_s <= at_s < from_s + WINDOW_S:
            continue
        was, left = loudest(before[window]), loudest(after[window])
        per_block = BLOCK // STEP
        voice = bool(spoken[window.start // per_block : window.stop // per_block + 1].any())
        at_ms = round(1000 * at_s)
        found.append(
            Heard(
                at_ms,
                round(decibels(was), 1),
                round(decibels(left), 1),
                was > limit,
                left > limit and not voice,
                voice,
            )
        )
    return found


def _steps(sound: NDArray[np.float32]) -> Energy:
    """Energy of each 2 ms."""
    cut = sound[: len(sound) // STEP * STEP].reshape(-1, STEP)
    energy: Energy = np.einsum("nk,nk->n", cut, cut)
    return energy


def _floor(energy: Energy) -> float:
    """Power of the room: what a tenth of the stretch lies below, where there is any sound."""
    per_block = BLOCK // STEP
    blocks = energy[: len(energy) // per_block * per_block].reshape(-1, per_block).sum(axis=1) / BLOCK
    some = blocks[blocks > 0]
    return float(np.quantile(some, 0.1)) if len(some) else 0.0


def _long(voice: Energy) -> NDArray[np.bool_]:
    """Blocks in which a voice speaks that goes on: a shorter one is a stroke that was taken for one."""
    spoken = voice >= SPOKEN
    edges = np.flatnonzero(np.diff(np.concatenate(([False], spoken, [False])).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start < LONG:
            spoken[start:stop] = False
    return spoken
