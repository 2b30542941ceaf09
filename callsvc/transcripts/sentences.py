"""From an utterance in which something was found to the sentences that hold it, each with its time."""

from __future__ import annotations

from dataclasses import dataclass

from callsvc.store.spoken import CLOSE, OPEN, Hit
from callsvc.store.transcripts import Utterance
from callsvc.transcripts.layers.text import Layer, in_force, machine

ENDS = (".", "?", "!", "…")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`words` are (text, whether it was sought); the times are of the sentence."""

    start_ms: int
    end_ms: int
    layer: Layer
    words: tuple[tuple[str, bool], ...]


def sentences(hit: Hit) -> list[Sentence]:
    """In order; those in which nothing was found are left out."""
    marked = hit.marked.split()
    plain = " ".join(marked).replace(OPEN, "").replace(CLOSE, "")
    of_people = hit.corrected and not hit.replaced
    utterance = Utterance(hit.n, hit.leg, hit.start_ms, hit.end_ms, plain, hit.words, corrected=plain)
    line = (in_force if of_people else machine)(utterance)
    found: list[Sentence] = []
    group: list[tuple[int, str, bool]] = []
    inside = False
    for n, word in enumerate(marked):
        sought = inside or OPEN in word
        inside = sought and word.rfind(OPEN) >= word.rfind(CLOSE)
        bare = word.replace(OPEN, "").replace(CLOSE, "")
        group.append((n, bare, sought))
        if bare.endswith(ENDS) or n == len(marked) - 1:
            if any(yes for _, _, yes in group):
                known = line.words if len(line.words) == len(marked) else ()
                start = known[group[0][0]].start_ms if known else hit.start_ms
                end = known[group[-1][0]].end_ms if known else hit.end_ms
                words = tuple((text, yes) for _, text, yes in group)
                found.append(Sentence(start, end, line.layer, words))
            group = []
    return found
