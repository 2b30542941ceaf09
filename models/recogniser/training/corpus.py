"""Sentences out of the templates, seeded; most of the training material is pieces of them and words in no order.

With templates alone the decoder learns them by heart and no longer listens. Pieces of several templates on end teach it
to go on from any word to any other without losing the words that often stand together.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np

_FILE = Path(__file__).with_name("phrases.toml")
_SLOT = re.compile(r"\{(\w+)\}")


class Phrases:
    """The templates and their slots."""

    def __init__(self, file: Path = _FILE) -> None:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        self.slots: dict[str, list[str]] = data["slots"]
        self.known: list[str] = data["templates"]["known"]
        self.held_out: list[str] = data["templates"]["held_out"]
        self.words = sorted({word for sentence in self._everything() for word in sentence.split()})

    def _everything(self) -> list[str]:
        """Sentences that hold every value of every slot at least once, endings ("{dag}s") included."""
        found: list[str] = []
        for template in self.known + self.held_out:
            found.append(_SLOT.sub(lambda m: self.slots[m.group(1)][0], template))
            for place in _SLOT.finditer(template):
                for value in self.slots[place.group(1)]:
                    filled = template[: place.start()] + value + template[place.end() :]
                    found.append(_SLOT.sub(lambda m: self.slots[m.group(1)][0], filled))
        return found

    def sentence(self, templates: list[str], rng: np.random.Generator) -> str:
        """One template with its slots filled at random."""
        template = templates[int(rng.integers(len(templates)))]
        return _SLOT.sub(lambda m: str(rng.choice(self.slots[m.group(1)])), template)

    def pieces(self, rng: np.random.Generator, longest: int = 9) -> str:
        """Two or three pieces of one to four words each, out of different sentences."""
        found: list[str] = []
        for _ in range(int(rng.integers(2, 4))):
            words = self.sentence(self.known, rng).split()
            start = int(rng.integers(len(words)))
            found += words[start : start + int(rng.integers(1, 5))]
        return " ".join(found[:longest])

    def jumble(self, rng: np.random.Generator) -> str:
        """One to seven of the words in no order."""
        return " ".join(str(w) for w in rng.choice(self.words, int(rng.integers(1, 8))))
