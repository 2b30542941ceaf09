"""WebVTT (W3C) and SubRip: short cues, cut between words, at most two lines' worth of text each."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callsvc.locale import text
from callsvc.transcripts.layers import Line, Spoken
from callsvc.transcripts.out.document import Document, runs, said

LONGEST_MS = 7000
MOST_LETTERS = 84
STATEMENT_MS = 2000


@dataclass(frozen=True, slots=True)
class Cue:
    start_ms: int
    end_ms: int
    leg: str
    text: str


def cues(document: Document, lang: str) -> list[Cue]:
    """All lines, cut into pieces that can be read while they are spoken."""
    found = [cue for line in document.lines for cue in _cut(line, lang)]
    return sorted(found, key=lambda cue: (cue.start_ms, cue.end_ms))


def vtt(document: Document, lang: str) -> str:
    """WebVTT; what must be known stands in a note at the top, who speaks in a voice span."""
    note = "\n".join(f"{name}: {value}" for name, value in document.statements(lang)).replace("-->", "–>")
    blocks = ["WEBVTT", f"NOTE\n{note}"]
    for n, cue in enumerate(cues(document, lang), 1):
        who = text(f"transcript.legs.{cue.leg}", lang)
        said_so = html.escape(cue.text, quote=False)
        blocks.append(f"{n}\n{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n<v {who}>{said_so}")
    return "\n\n".join(blocks) + "\n"


def srt(document: Document, lang: str) -> str:
    """SubRip, which has no place for notes: the first cue says what must be known."""
    statement = " · ".join(value for _, value in document.statements(lang)[2:5])
    blocks = [f"1\n{_time(0, ',')} --> {_time(STATEMENT_MS, ',')}\n[{statement}]"]
    for n, cue in enumerate(cues(document, lang), 2):
        who = text(f"transcript.legs.{cue.leg}", lang)
        # An arrow makes a line one of times for many players: what somebody typed is to move no other line.
        said_so = cue.text.replace("-->", "–>")
        blocks.append(f"{n}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n{who}: {said_so}")
    return "\n\n".join(blocks) + "\n"


def _cut(line: Line, lang: str) -> Iterator[Cue]:
    if not line.words:
        if line.kind != "speech":
            yield Cue(line.start_ms, max(line.end_ms, line.start_ms + 1), line.leg, said(line, lang))
        return
    group: list[Spoken] = []
    for word in line.words:
        if group and (
            word.end_ms - group[0].start_ms > LONGEST_MS
            or sum(len(one.text) + 1 for one in [*group, word]) > MOST_LETTERS
        ):
            yield _cue(line, group, lang)
            group = []
        group.append(word)
    yield _cue(line, group, lang)


def _cue(line: Line, words: Sequence[Spoken], lang: str) -> Cue:
    start, end = words[0].start_ms, max(word.end_ms for word in words)
    return Cue(start, max(end, start + 1), line.leg, " ".join(word for _, word in runs(words, lang)))


def _time(ms: int, point: str) -> str:
    seconds, left = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{left:03}"
