"""How far two reviewers of the same call agree: to learn what the questions mean, not who is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]
"""What the first and the second answered to one question."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same` of `asked` questions were answered alike. `kappa` is what is left of that beyond chance (Cohen, 1960);
    None where chance alone would agree on all."""

    asked: int
    same: int
    kappa: float | None


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Of pairs of answers."""
    n = len(pairs)
    same = sum(one == other for one, other in pairs)
    if n == 0:
        return Agreement(0, 0, None)
    first, second = (Counter(pair[seat] for pair in pairs) for seat in (0, 1))
    chance = sum(first[choice] * second[choice] for choice in first) / n**2
    return Agreement(n, same, None if chance >= 1 else round((same / n - chance) / (1 - chance), 2))


def pairs(first: Mapping[str, str], second: Mapping[str, str]) -> list[Pair]:
    """The questions that both answered, in the first one's order."""
    return [(choice, second[question]) for question, choice in first.items() if question in second]
