"""A whole track into pieces with words.

    read ten minutes ─► resample 16 kHz ─► stretches of speech ─► pieces ─► recogniser ─► gate ─► words

No more than ten minutes of sound are in memory at once. A block ends at the last pause in it, so that nothing is cut
in the middle of a word. Where there is no speech, the recogniser is never asked. The same track gives the same pieces,
so that work that was cut off goes on at the first piece that is not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from callsvc.transcripts.gate import carried
from callsvc.transcripts.pieces import Piece, Stretch, plan, unheard
from callsvc.transcripts.port import Recorded
from models.recogniser.words import RATE, Hearing, Recogniser, Word

BLOCK_S = 600
WIDEST_PAUSE_S = 2.0
SHORTEST_S = 0.4
"""A stretch this short is not asked for twice."""
SILENT_DB = -120.0

Sound = NDArray[np.float32]
Stretches = Callable[[Sound, float], list[Stretch]]


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word of the track, in milliseconds from the start of the call; `level_db` is its own sound's (dBFS).

    `unsure`: no speech carries it, or it looks invented. `estimated`: its times are a share of the piece.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float
    unsure: bool = False
    estimated: bool = False
    level_db: float = SILENT_DB


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """What was heard between two pauses of one leg. `language` None: in none that may be written; `likely` is a guess."""

    leg: str
    start_ms: int
    end_ms: int
    language: str | None
    likely: str
    words: tuple[HeardWord, ...]


def listen(
    recorded: Recorded,
    track: str,
    leg: str,
    recogniser: Recogniser,
    languages: Sequence[str],
    stretches: Stretches,
    progress: Callable[[float], None] = lambda share: None,
    known: Collection[int] = (),
) -> Iterator[HeardPiece]:
    """The pieces of one track in order, but those that begin at a `known` millisecond.

    `progress` is told the share that is done, 0 to 1.
    """
    for start_s, sound, done in _blocks(recorded, track, stretches, recogniser.longest_s):
        found = stretches(sound, recogniser.longest_s)
        pieces = plan(found, int(recogniser.longest_s * RATE), int(WIDEST_PAUSE_S * RATE))
        for k, piece in enumerate(pieces):
            start_ms = _ms(start_s, piece.start)
            if start_ms not in known:
                yield _heard(leg, sound, piece, found, start_s, recogniser, languages)
            progress(done[0] + (done[1] - done[0]) * (k + 1) / len(pieces))
        progress(done[1])


def _heard(
    leg: str,
    sound: Sound,
    piece: Piece,
    stretches: Sequence[Stretch],
    start_s: float,
    recogniser: Recogniser,
    languages: Sequence[str],
) -> HeardPiece:
    def hear(one: Piece) -> Hearing:
        return recogniser.hear(sound[one.start : one.end], languages)

    def placed(one: Piece, words: Sequence[Word]) -> list[tuple[Word, Stretch]]:
        return [
            (word, (one.start + int(word.start_s * RATE), one.start + int(word.end_s * RATE)))
            for word in words
        ]

    whole = hear(piece)
    found = placed(piece, whole.words)
    if whole.language is not None:
        for rest in unheard(piece, [place for _, place in found], int(SHORTEST_S * RATE)):
            found += placed(rest, hear(rest).words)
    return HeardPiece(
        leg,
        _ms(start_s, piece.start),
        _ms(start_s, piece.end),
        whole.language,
        whole.likely,
        tuple(
            HeardWord(
                _ms(start_s, place[0]),
                _ms(start_s, place[1]),
                word.text,
                word.probability,
                unsure=not carried(place, stretches),
                estimated=not word.timed,
                level_db=_level(sound[place[0] : place[1]]),
            )
            for word, place in found
        ),
    )


def _ms(start_s: float, sample: int) -> int:
    return round(1000 * (start_s + sample / RATE))


def _level(sound: Sound) -> float:
    if not len(sound):
        return SILENT_DB
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    return round(max(SILENT_DB, 10 * float(np.log10(power + 1e-12))), 1)


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
