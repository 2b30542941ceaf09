"""Which parts of a track are given to the recogniser at once: whole stretches of speech, cut at pauses only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples from `start` to `end` (exclusive) with the stretches of speech in it, all in samples of the track."""

    start: int
    end: int
    stretches: tuple[Stretch, ...]


def plan(stretches: Sequence[Stretch], longest: int, widest_pause: int) -> list[Piece]:
    """Neighbouring stretches together, while the piece stays within `longest` and no pause exceeds `widest_pause`.

    A stretch that is longer than `longest` is a piece of its own.
    """
    pieces: list[Piece] = []
    group: list[Stretch] = []
    for stretch in stretches:
        if group and (stretch[1] - group[0][0] > longest or stretch[0] - group[-1][1] > widest_pause):
            pieces.append(_piece(group))
            group = []
        group.append(stretch)
    if group:
        pieces.append(_piece(group))
    return pieces


def unheard(piece: Piece, words: Sequence[Stretch], shortest: int) -> list[Piece]:
    """Stretches of the piece in which no word was found, though they are `shortest` or longer: to be heard alone.

    A piece of one stretch has none: hearing it again gives the same.
    """
    if len(piece.stretches) < 2:
        return []
    return [
        _piece([stretch])
        for stretch in piece.stretches
        if stretch[1] - stretch[0] >= shortest
        and not any(a < stretch[1] and b > stretch[0] for a, b in words)
    ]


def _piece(group: Sequence[Stretch]) -> Piece:
    return Piece(group[0][0], group[-1][1], tuple(group))
