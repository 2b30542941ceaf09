"""The small model of the package hears what it is made for, in sentences that are spoken here and now."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from models.recogniser import check, packaged
from models.recogniser.training.corpus import Phrases
from models.recogniser.training.evaluate import measure
from models.recogniser.training.speech import VARIANTS, Voice
from models.recogniser.whisper import Whisper

pytestmark = pytest.mark.transcripts

COUNT = 8


@pytest.fixture(scope="module")
def model() -> Whisper:
    return Whisper(check(packaged.directory()))


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


@pytest.mark.parametrize(
    ("band", "marks"),
    [(False, False), (True, False), (True, True)],
    ids=["wide", "telephone", "telephone, with time marks"],
)
@pytest.mark.parametrize(("templates", "most_pct"), [("known", 10.0), ("held_out", 25.0)])
def test_new_sentences_are_heard_word_by_word_in_their_time(
    model: Whisper, voice: Voice, templates: str, most_pct: float, band: bool, marks: bool
) -> None:
    phrases, rng = Phrases(), np.random.default_rng(31)
    found = measure(
        model,
        voice,
        lambda: phrases.sentence(getattr(phrases, templates), rng),
        VARIANTS,
        band,
        COUNT,
        marks=marks,
    )
    assert found["wer_pct"] <= most_pct
    assert 0.0 <= found["word_start_median_ms"] <= 150.0


def test_it_says_what_it_is_for_and_its_card_speaks_of_these_weights() -> None:
    note = json.loads((packaged.directory() / "card.json").read_text(encoding="utf-8"))["note"]
    assert "demonstration och prov" in note
    assert f"kan {len(Phrases().words)} ord" in note
    card = (packaged.directory() / "MODEL_CARD.md").read_text(encoding="utf-8")
    stated = re.search(r"SHA-256 `([0-9a-f]{64})`", card)
    assert stated is not None
    assert stated[1] == check(packaged.directory()).sha256
