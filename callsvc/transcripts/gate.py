"""No sound, no words: a word must lie in a stretch of speech on its own leg.

Whisper writes whole sentences over silence. A word that no speech carries is not thrown away, for it may be the one
that mattered; it is marked as unsure and can never pass for what was said.
"""

from __future__ import annotations

from collections.abc import Sequence

from callsvc.transcripts.pieces import Stretch

LEAST_SHARE = 0.5


def carried(word: Stretch, stretches: Sequence[Stretch]) -> bool:
    """Whether at least half of the word lies in speech."""
    start, end = word
    if end <= start:
        return any(a <= start < b for a, b in stretches)
    inside = sum(max(0, min(end, b) - max(start, a)) for a, b in stretches)
    return inside >= LEAST_SHARE * (end - start)
