"""Which words of an utterance that is still being spoken are shown: those on which two decodes in a row agree.

The last word of a decode is a guess at half a sound, and changes. What two successive decodes begin with is said; it is
not taken back before the final text stands there.
"""

from __future__ import annotations

from collections.abc import Sequence


class Agreement:
    """The interim text of one utterance."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._shown: list[str] = []

    def add(self, words: Sequence[str]) -> list[str]:
        """The words to show after another decode; never fewer than before."""
        agreed = []
        for one, other in zip(self._last, words, strict=False):
            if _bare(one) != _bare(other):
                break
            agreed.append(other)
        self._last = list(words)
        if len(agreed) > len(self._shown):
            self._shown = [*self._shown, *agreed[len(self._shown) :]]
        return list(self._shown)


def _bare(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())
