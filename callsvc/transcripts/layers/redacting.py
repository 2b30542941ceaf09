"""Chosen words into stretches of time, and a copy of text and sound without them.

A stretch is taken out on both legs: what one party said may be heard through the other's line, and an answer that
repeats it says it again. So every word that touches a stretch goes, whoever spoke it. A word whose time is only
estimated takes along all that lies between its neighbours' times.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from callsvc.errors import UsageError
from callsvc.transcripts.layers.text import Layer, Line, Spoken

PAD_MS = 120
"""Sound beyond a word's own times that goes with it: a word's edges are known to about this much."""
MOST = 2000
TAKEN_OUT = "[…]"
"""Stands where words were taken out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Words `first` to `last` (from 0, inclusive) of the text in force of utterance `n`, and why they are taken out."""

    n: int
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is taken out, in milliseconds of the call; the reasons of choices that met."""

    start_ms: int
    end_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Redacted:
    stretches: tuple[Stretch, ...]
    lines: tuple[Line, ...]

    @property
    def sha256(self) -> str:
        """Of stretches and text, as canonical JSON."""
        whole = {"stretches": [asdict(s) for s in self.stretches], "lines": [asdict(x) for x in self.lines]}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def redact(lines: Sequence[Line], choices: Sequence[Choice]) -> Redacted:
    """Raises `UsageError` for words that are not there and for a choice without a reason."""
    if not choices or len(choices) > MOST:
        raise UsageError("A redacted copy takes out at least one stretch, and not without number.")
    by_number = {line.n: line for line in lines}
    stretches = _merged([_stretch(by_number, choice) for choice in choices])
    return Redacted(stretches, tuple(_without(line, stretches) for line in lines))


def _stretch(lines: dict[int, Line], choice: Choice) -> Stretch:
    line = lines.get(choice.n)
    if line is None or not 0 <= choice.first <= choice.last < len(line.words):
        raise UsageError("Words were chosen that the transcript has not.")
    reason = " ".join(choice.reason.split())
    if not reason:
        raise UsageError("A stretch that is taken out needs a reason.")
    first, last = choice.first, choice.last
    start, end = line.words[first].start_ms, line.words[last].end_ms
    if any(word.estimated for word in line.words[first : last + 1]):
        before = [word.end_ms for word in line.words[:first] if not word.estimated]
        after = [word.start_ms for word in line.words[last + 1 :] if not word.estimated]
        start = min(start, max(before, default=line.start_ms))
        end = max(end, min(after, default=line.end_ms))
    return Stretch(max(0, start - PAD_MS), end + PAD_MS, reason)


def _merged(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda s: (s.start_ms, s.end_ms)):
        if found and one.start_ms <= found[-1].end_ms:
            last = found[-1]
            reasons = list(dict.fromkeys([*last.reason.split("; "), one.reason]))
            found[-1] = Stretch(last.start_ms, max(last.end_ms, one.end_ms), "; ".join(reasons))
        else:
            found.append(one)
    return tuple(found)


def _without(line: Line, stretches: Sequence[Stretch]) -> Line:
    return replace(line, layer=Layer.REDACTED, words=tuple(_word(word, stretches) for word in line.words))


def _word(word: Spoken, stretches: Sequence[Stretch]) -> Spoken:
    for number, one in enumerate(stretches):
        # The padding alone, which a neighbour's edge may touch, does not take a word along. Before the call's beginning
        # there is none: there a short word would lie within what is missing, and stay.
        before = PAD_MS if one.start_ms > 0 else 0
        if word.start_ms < one.end_ms - PAD_MS and word.end_ms > one.start_ms + before:
            return Spoken(word.start_ms, word.end_ms, "", None, redacted=number)
        if word.start_ms == word.end_ms and one.start_ms <= word.start_ms <= one.end_ms:
            return Spoken(word.start_ms, word.end_ms, "", None, redacted=number)
    return word


def dump(line: Line) -> dict[str, Any]:
    """A line as a redacted copy keeps it."""
    return asdict(line)


def load(kept: dict[str, Any]) -> Line:
    """A line that `dump` wrote."""
    words = tuple(Spoken(**word) for word in kept["words"])
    return Line(**{**kept, "layer": Layer(kept["layer"]), "words": words})


def shown(line: Line) -> str:
    """The line's words; what was taken out together stands as one mark."""
    told: list[str] = []
    for word in line.words:
        if word.redacted is None:
            told.append(word.text)
        elif not told or told[-1] != TAKEN_OUT:
            told.append(TAKEN_OUT)
    return " ".join(told)
