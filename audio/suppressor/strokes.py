"""Which peaks of the network's key probability are strokes: one rule, for calls, files, proofs and figures.

A stroke is a peak above THRESHOLD, at least REFRACTORY after the last one. One within RELEASE that is weaker than
RELEASE_SHARE of the last is the key coming up again. Lower peaks, from SUSPICION on, are no strokes; but where one of
them is heard in what goes out, the proof counts it (`audio.suppressor.meter`).
"""

from __future__ import annotations

from collections.abc import Iterable

THRESHOLD = 0.5
SUSPICION = 0.1
REFRACTORY = 4
"""Blocks within which one stroke is not counted twice."""
RELEASE = 14
"""Blocks within which a key may come up again."""
RELEASE_SHARE = 0.8


class Rule:
    """One stream's peaks, in order."""

    __slots__ = ("_strength", "last")

    def __init__(self) -> None:
        self.last = -RELEASE
        """Block of the last stroke."""
        self._strength = 0.0

    def peak(self, block: int, before: float, here: float, after: float) -> float:
        """How sure a stroke in this block is, from the probabilities in it and beside it; 0 when there is none.

        THRESHOLD and more is a stroke; less is a suspicion.
        """
        if here < SUSPICION or here < before or here < after:
            return 0.0
        since = block - self.last
        if since < REFRACTORY or (since < RELEASE and here < RELEASE_SHARE * self._strength):
            return 0.0
        if here >= THRESHOLD:
            self.last, self._strength = block, here
        return here


def strokes(keys: Iterable[float]) -> list[int]:
    """Blocks of a whole signal in which a key was struck, from the probability in each."""
    rule = Rule()
    padded = [0.0, *map(float, keys), 0.0]
    beside = zip(padded, padded[1:], padded[2:], strict=False)
    return [n for n, around in enumerate(beside) if rule.peak(n, *around) >= THRESHOLD]
