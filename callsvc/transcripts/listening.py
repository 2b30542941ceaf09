"""A whole track into utterances.

    read ten minutes ─► resample 16 kHz ─► stretches of speech ─► pieces ─► recogniser ─► gate ─► utterances

No more than ten minutes of sound are in memory at once. A block ends at the last pause in it, so that nothing is cut
in the middle of a word. Where there is no speech, the recogniser is never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from callsvc.transcripts.gate import carried
from callsvc.transcripts.pieces import Piece, Stretch, plan, unheard
from callsvc.transcripts.port import Recorded
from models.recogniser.words import RATE, Recogniser, Word

BLOCK_S = 600
WIDEST_PAUSE_S = 2.0
SHORTEST_S = 0.4
"""A stretch this short is not asked for twice."""
UTTERANCE_PAUSE_S = 0.8

Sound = NDArray[np.float32]
Stretches = Callable[[Sound, float], list[Stretch]]


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word of the track, in milliseconds from the start of the call. `unsure`: no speech carries it."""

    start_ms: int
    end_ms: int
    text: str
    probability: float
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance: words between which no long pause lies."""

    leg: str
    words: tuple[HeardWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def listen(
    recorded: Recorded,
    track: str,
    leg: str,
    recogniser: Recogniser,
    language: str,
    stretches: Stretches,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Heard]:
    """All utterances of one track, in order. `progress` is told the share that is done, 0 to 1."""
    words: list[HeardWord] = []
    for start_s, sound, done in _blocks(recorded, track, stretches, recogniser.longest_s):
        found = stretches(sound, recogniser.longest_s)
        pieces = plan(found, int(recogniser.longest_s * RATE), int(WIDEST_PAUSE_S * RATE))
        for k, piece in enumerate(pieces):
            words += _words(sound, piece, found, start_s, recogniser, language)
            progress(done[0] + (done[1] - done[0]) * (k + 1) / len(pieces))
        progress(done[1])
    return utterances(leg, words)


def utterances(leg: str, words: Sequence[HeardWord]) -> list[Heard]:
    """Words into utterances, at pauses of 0.8 s and more."""
    found: list[list[HeardWord]] = []
    for word in sorted(words, key=lambda w: (w.start_ms, w.end_ms)):
        if found and word.start_ms - found[-1][-1].end_ms < UTTERANCE_PAUSE_S * 1000:
            found[-1].append(word)
        else:
            found.append([word])
    return [Heard(leg, tuple(group)) for group in found]


def _words(
    sound: Sound,
    piece: Piece,
    stretches: Sequence[Stretch],
    start_s: float,
    recogniser: Recogniser,
    language: str,
) -> list[HeardWord]:
    def heard(one: Piece) -> list[tuple[Word, Stretch]]:
        offset = one.start
        return [
            (word, (offset + int(word.start_s * RATE), offset + int(word.end_s * RATE)))
            for word in recogniser.hear(sound[one.start : one.end], language)
        ]

    found = heard(piece)
    for rest in unheard(piece, [place for _, place in found], int(SHORTEST_S * RATE)):
        found += heard(rest)
    return [
        HeardWord(
            round(1000 * (start_s + place[0] / RATE)),
            round(1000 * (start_s + place[1] / RATE)),
            word.text,
            word.probability,
            not carried(place, stretches),
        )
        for word, place in found
    ]


def _blocks(
    recorded: Recorded, track: str, stretches: Stretches, longest_s: float
) -> Iterator[tuple[float, Sound, tuple[float, float]]]:
    """Start in seconds, sound at 16 kHz, and the shares of the track before and after the block."""
    info = recorded.tracks[track]
    rate, total = info.rate_hz, info.samples
    at = 0
    while at < total:
        count = min(BLOCK_S * rate, total - at)
        raw = recorded.read(track, at, count).astype(np.float32) / 32768.0
        sound: Sound = raw if rate == RATE else soxr.resample(raw, rate, RATE).astype(np.float32)
        if (
            at + count < total
            and (found := stretches(sound, longest_s))
            and found[-1][1] >= len(sound) - RATE // 2
        ):
            # Somebody speaks across the end: that stretch belongs to the next block, unless it is all there is.
            cut = found[-1][0]
            if cut > RATE:
                sound, count = sound[:cut], cut * rate // RATE
        yield at / rate, sound, (at / total, (at + count) / total)
        at += count
