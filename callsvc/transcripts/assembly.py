"""Pieces of both legs into utterances, in the order in which they were spoken.

An utterance is words of one leg, of one kind, between which no long pause lies:

speech             what that leg's party said
crosstalk          what came through from the other leg, kept and marked
unknown_language   a stretch in which somebody speaks, in a language that is not written: sound without words
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from callsvc.store.transcripts import Utterance
from callsvc.transcripts.crosstalk import came_through
from callsvc.transcripts.inventions import invented
from callsvc.transcripts.listening import HeardPiece, HeardWord

UTTERANCE_PAUSE_S = 0.8
SPEECH, CROSSTALK, UNKNOWN_LANGUAGE = "speech", "crosstalk", "unknown_language"


@dataclass(frozen=True, slots=True)
class Said:
    """A word with what it belongs to."""

    word: HeardWord
    language: str
    kind: str = SPEECH


def assemble(pieces: Iterable[HeardPiece]) -> list[Utterance]:
    """All utterances of a call, numbered from 0."""
    pieces = list(pieces)
    legs = sorted({piece.leg for piece in pieces})
    said = {leg: _said(piece for piece in pieces if piece.leg == leg) for leg in legs}
    heard = {leg: [one.word for one in said[leg]] for leg in legs}
    found: list[Utterance] = []
    for leg in legs:
        others = sorted((w for name in legs if name != leg for w in heard[name]), key=lambda w: w.start_ms)
        through = came_through(heard[leg], others)
        marked = [replace(one, kind=CROSSTALK) if n in through else one for n, one in enumerate(said[leg])]
        found += [_utterance(leg, group) for group in _groups(marked)]
    found += [
        Utterance(0, piece.leg, piece.start_ms, piece.end_ms, "", [], UNKNOWN_LANGUAGE, piece.likely)
        for piece in pieces
        if piece.language is None
    ]
    found.sort(key=lambda one: (one.start_ms, one.leg, one.end_ms))
    return [replace(one, n=n) for n, one in enumerate(found)]


def _said(pieces: Iterable[HeardPiece]) -> list[Said]:
    found = []
    for piece in pieces:
        doubtful = invented([word.text for word in piece.words])
        found += [
            Said(replace(word, unsure=True) if doubtful else word, piece.language or "")
            for word in piece.words
        ]
    return sorted(found, key=lambda one: (one.word.start_ms, one.word.end_ms))


def _groups(said: Sequence[Said]) -> list[list[Said]]:
    """At pauses of 0.8 s and more, and where kind or language changes."""
    groups: list[list[Said]] = []
    for one in said:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and one.word.start_ms - last.word.end_ms < UTTERANCE_PAUSE_S * 1000
            and (one.kind, one.language) == (last.kind, last.language)
        ):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _utterance(leg: str, group: Sequence[Said]) -> Utterance:
    words = [one.word for one in group]
    return Utterance(
        0,
        leg,
        words[0].start_ms,
        max(word.end_ms for word in words),
        " ".join(word.text for word in words),
        [row(word) for word in words],
        group[0].kind,
        group[0].language,
    )


def row(word: HeardWord) -> dict[str, object]:
    """A word as the database keeps it; marks only where they hold."""
    return {
        "start_ms": word.start_ms,
        "end_ms": word.end_ms,
        "text": word.text,
        "probability": word.probability,
        **({"unsure": True} if word.unsure else {}),
        **({"estimated": True} if word.estimated else {}),
    }
