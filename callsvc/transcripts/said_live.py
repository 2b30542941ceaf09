"""Words that were put right while the call went on, taken over into its transcript as corrections of the same person.

The transcript is heard anew and better than the captions were, so a word may be right in it already; then nothing is
done. A word is looked for on its own leg, near the place at which it was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from callsvc.store import Connection, captions, layers, transcripts
from callsvc.store.captions import CorrectionRow
from callsvc.store.transcripts import Utterance

NEAR_MS = 4000
"""The place of a word in a caption is told from the letters before it; this is how far off that may be."""
WHY = "captions"
_MARKS = ".,;:!?…\"'”’()"


def place(
    said: Sequence[Utterance], texts: Sequence[Sequence[str]], one: CorrectionRow
) -> tuple[int, int] | None:
    """The utterance (its place in `said`) and the word that the correction is about; None when it is not there.

    `texts` are the utterances' words as they read by now: what was put right twice is found by its first correction.
    """
    best: tuple[int, int, int] | None = None
    for at, utterance in enumerate(said):
        near = utterance.start_ms - NEAR_MS <= one.at_ms <= utterance.end_ms + NEAR_MS
        if utterance.leg != one.leg or utterance.kind != "speech" or not near:
            continue
        for n, word in enumerate(utterance.words):
            away = abs(int(word["start_ms"]) - one.at_ms)
            same = _bare(texts[at][n]) == _bare(one.heard)
            if same and away <= NEAR_MS and (best is None or away < best[0]):
                best = (away, at, n)
    return None if best is None else best[1:]


def _bare(word: str) -> str:
    return word.strip().strip(_MARKS).casefold()


def put_right(word: str, meant: str) -> str:
    """The word that was meant, with the punctuation of the one that was heard where it has none of its own."""
    heard = word.strip()
    tail = heard[len(heard.rstrip(_MARKS)) :]
    return meant if meant[-1] in _MARKS else meant + tail


async def take_over(conn: Connection, transcript_id: UUID, call_id: UUID) -> int:
    """Lay what was put right above a transcript that has just been written; how many words."""
    told = await captions.corrections(conn, call_id)
    if not told:
        return 0
    said = await transcripts.utterances(conn, transcript_id)
    texts = [[str(word["text"]).strip() for word in one.words] for one in said]
    versions = [one.version for one in said]
    laid = 0
    for one in told:
        found = place(said, texts, one)
        if found is None:
            continue
        at, n = found
        texts[at][n] = put_right(texts[at][n], one.meant)
        versions[at] = await layers.correct(
            conn,
            transcript_id,
            said[at].n,
            " ".join(texts[at]),
            version=versions[at],
            why=WHY,
            user_id=one.user_id,
            at=one.at,
        )
        laid += 1
    return laid
