"""Which of the allowed languages a piece of sound is in, if any: a language that is not known is never guessed.

A model that is told to write Swedish writes fluent Swedish over any language. So it is first asked what it takes the
sound for; when that is clearly something else, nothing is written, and the stretch keeps its sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SURE = 0.5
"""A language this probable is believed."""
POSSIBLE = 0.2
"""The expected language is kept at this probability, though another one may be ahead: neighbours resemble each other."""
SHORT_S = 1.5
"""A shorter piece says too little about its language: `ja` and `nej` are taken to be in the expected one."""


def choose(probabilities: Mapping[str, float], allowed: Sequence[str], length_s: float) -> str | None:
    """The language to write in; None when it is one that is not allowed, or when nobody can tell."""
    expected = allowed[0]
    if not probabilities or length_s < SHORT_S or probabilities.get(expected, 0.0) >= POSSIBLE:
        return expected
    likely = max(probabilities, key=lambda name: probabilities[name])
    return likely if likely in allowed and probabilities[likely] >= SURE else None
