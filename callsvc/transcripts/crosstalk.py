"""The same words on both legs at the same time: one party's voice heard through the other's line.

Which leg they belong to is told by level: what came through is fainter. Two people who both say *ja* are as loud as
each other, so one word alone must be much fainter, and two or more in a row clearly so. What is found is marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from callsvc.transcripts.listening import HeardWord

APART_MS = 500
RUN_DB = 6.0
ALONE_DB = 12.0


def came_through(words: Sequence[HeardWord], others: Sequence[HeardWord]) -> frozenset[int]:
    """Numbers of those of `words` that are the other leg's, both in order of time."""
    twins = {n: twin for n, word in enumerate(words) if (twin := _twin(word, others)) is not None}
    found: set[int] = set()
    run: list[int] = []
    for n in range(len(words) + 1):
        if n in twins and (not run or twins[n] > twins[run[-1]]):
            run.append(n)
            continue
        found |= _fainter(run, twins, words, others)
        run = [n] if n in twins else []
    return frozenset(found | _fainter(run, twins, words, others))


def plain(text: str) -> str:
    """A word without its case and signs, to be compared."""
    return re.sub(r"[^\w]", "", text.lower())


def _twin(word: HeardWord, others: Sequence[HeardWord]) -> int | None:
    wanted = plain(word.text)
    near = [
        n
        for n, other in enumerate(others)
        if abs(other.start_ms - word.start_ms) <= APART_MS and plain(other.text) == wanted
    ]
    return min(near, key=lambda n: abs(others[n].start_ms - word.start_ms), default=None)


def _fainter(
    run: Sequence[int], twins: dict[int, int], words: Sequence[HeardWord], others: Sequence[HeardWord]
) -> set[int]:
    if not run:
        return set()
    least = RUN_DB if len(run) > 1 else ALONE_DB
    below = sum(others[twins[n]].level_db - words[n].level_db for n in run) / len(run)
    return set(run) if below >= least else set()
