"""Figures of one model: heard by the same pieces, gate and options as a call's transcript."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np

from callsvc.transcripts.evaluating.aligning import Pair, align, distance, normal
from callsvc.transcripts.evaluating.references import Reference, SpokenWord
from callsvc.transcripts.listening import HeardWord, listen
from callsvc.transcripts.personal import marks
from callsvc.transcripts.values.value import values
from models.recogniser import voice
from models.recogniser.words import Recogniser

NEAR_MS = 500
"""A word this near to a spoken one does not lie in silence."""


@dataclass
class Count:
    """Sums over all references. `starts_ms`: how far each right word's start lies from the truth, late being positive."""

    spoken: int = 0
    wrong: int = 0
    letters: int = 0
    wrong_letters: int = 0
    critical: int = 0
    critical_found: int = 0
    seconds: float = 0.0
    silent_s: float = 0.0
    invented: int = 0
    unsure: int = 0
    cpu_s: float = 0.0
    starts_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a model. None: there was nothing to measure it by."""

    model: str
    words: int
    wer_pct: float | None
    cer_pct: float | None
    critical_recall_pct: float | None
    invented_per_silent_hour: float | None
    unsure_pct: float | None
    word_start_median_ms: float | None
    word_start_p95_ms: float | None
    cpu_share_of_real_time: float


def measure(
    name: str,
    recogniser: Recogniser,
    found: Sequence[Reference],
    languages: Sequence[str],
    told: Callable[[str], None] = lambda reference: None,
) -> Figures:
    """Hear all references and compare."""
    count = Count()
    for one in found:
        told(one.name)
        began = time.process_time()
        pieces = listen(one, one.name, "caller", recogniser, languages, voice.stretches)
        heard = sorted((word for piece in pieces for word in piece.words), key=lambda word: word.start_ms)
        count.cpu_s += time.process_time() - began
        add(count, one, heard)
    return _figures(name, count)


def add(count: Count, one: Reference, heard: Sequence[HeardWord]) -> None:
    """Compare what was heard of a reference with what is said in it."""
    spoken = [word for word in one.words if normal(word.text)]
    kept = [word for word in heard if normal(word.text)]
    said, told = [normal(word.text) for word in spoken], [normal(word.text) for word in kept]
    pairs = align(said, told)
    count.seconds += one.seconds
    count.spoken += len(said)
    count.wrong += sum(not pair.same for pair in pairs)
    count.unsure += sum(word.unsure for word in kept)
    letters = list(" ".join(said))
    count.letters += len(letters)
    count.wrong_letters += distance(letters, list(" ".join(told)))
    critical = _critical([word.text for word in spoken])
    count.critical += len(critical)
    count.critical_found += sum(pair.same for pair in pairs if pair.spoken in critical)
    count.starts_ms += [late for pair in pairs if (late := _late(pair, spoken, kept)) is not None]
    _silence(
        count,
        one,
        spoken,
        [kept[pair.heard] for pair in pairs if pair.spoken is None and pair.heard is not None],
    )


def _late(pair: Pair, spoken: Sequence[SpokenWord], heard: Sequence[HeardWord]) -> float | None:
    if not pair.same or pair.spoken is None or pair.heard is None or heard[pair.heard].estimated:
        return None
    truth = spoken[pair.spoken].start_ms
    return None if truth is None else heard[pair.heard].start_ms - truth


def _silence(count: Count, one: Reference, spoken: Sequence[SpokenWord], put_in: Sequence[HeardWord]) -> None:
    """Words that were put in where nobody speaks, and how long nobody does."""
    if not one.words:
        count.silent_s += one.seconds
        count.invented += len(put_in)
        return
    stretches = [
        (word.start_ms - NEAR_MS, word.end_ms + NEAR_MS)
        for word in spoken
        if word.start_ms is not None and word.end_ms is not None
    ]
    if len(stretches) < len(spoken):
        return
    covered, end = 0, 0
    for a, b in sorted(stretches):
        covered += max(0, b - max(a, end, 0))
        end = max(end, b)
    count.silent_s += max(0.0, one.seconds - covered / 1000)
    count.invented += sum(
        not any(a < word.end_ms and word.start_ms < b for a, b in stretches) for word in put_in
    )


def _critical(words: Sequence[str]) -> set[int]:
    """Names, numbers, times, dates and negations."""
    found = {n for n, word in enumerate(words) if normal(word) in _negations() or normal(word).isdigit()}
    marked = marks(words)
    spans = [(one.first, one.last) for one in marked]
    spans += [(one.first, one.last) for one in values(words, marked)]
    for first, last in spans:
        found |= set(range(first, last + 1))
    return found


@cache
def _negations() -> frozenset[str]:
    text = resources.files(__package__).joinpath("critical.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)["negations"])


def _figures(name: str, count: Count) -> Figures:
    def share(part: float, whole: float, times: float = 100.0) -> float | None:
        return round(times * part / whole, 2) if whole else None

    starts = np.abs(count.starts_ms)
    return Figures(
        name,
        count.spoken,
        share(count.wrong, count.spoken),
        share(count.wrong_letters, count.letters),
        share(count.critical_found, count.critical),
        share(count.invented, count.silent_s, 3600.0),
        share(count.unsure, count.spoken),
        round(float(np.median(starts)), 1) if len(starts) else None,
        round(float(np.percentile(starts, 95)), 1) if len(starts) else None,
        round(count.cpu_s / count.seconds, 4) if count.seconds else 0.0,
    )
