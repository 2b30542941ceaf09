"""What the small recogniser is taught with: sentences of known words, at known times, in a window of the asked length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.recogniser.training import tokens
from models.recogniser.training.corpus import Phrases
from models.recogniser.training.material import MELS, Utterance, load, pack, save, telephone

pytestmark = pytest.mark.transcripts


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return Phrases()


def test_sentences_are_made_of_the_vocabulary_and_no_slot_is_left_open(phrases: Phrases) -> None:
    rng = np.random.default_rng(1)
    words = set(phrases.words)
    for _ in range(400):
        for made in (phrases.sentence(phrases.known, rng), phrases.sentence(phrases.held_out, rng)):
            assert "{" not in made
            assert set(made.split()) <= words
        assert 1 <= len(phrases.jumble(rng).split()) <= 7


def test_pieces_are_of_taught_sentences_and_no_longer_than_asked(phrases: Phrases) -> None:
    rng = np.random.default_rng(4)
    words = {word for _ in range(4000) for word in phrases.sentence(phrases.known, rng).split()}
    made = [phrases.pieces(rng, 6).split() for _ in range(200)]
    assert {word for one in made for word in one} <= words
    assert max(map(len, made)) == 6
    assert len({tuple(one) for one in made}) > 150


def test_templates_that_are_held_out_are_taught_nowhere(phrases: Phrases) -> None:
    assert len(phrases.known) > 80
    assert not set(phrases.held_out) & set(phrases.known)


def test_the_same_seed_gives_the_same_sentences(phrases: Phrases) -> None:
    one, two = (
        [phrases.sentence(phrases.known, rng) for _ in range(50)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert one == two


def test_the_tokens_stand_in_the_order_that_the_engine_expects(phrases: Phrases) -> None:
    rng = np.random.default_rng(2)
    made = tokens.build([phrases.sentence(phrases.known, rng) for _ in range(300)], 500, 30)
    number = made.token_to_id
    order = [
        "",
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|sv|>",
        "<|translate|>",
        "<|transcribe|>",
    ]
    order += ["<|nospeech|>", "<|notimestamps|>", "<|0.00|>", "<|30.00|>"]
    places = [-1 if (n := number(mark)) is None else n for mark in order]
    assert places == sorted(places)
    assert places[-1] == made.get_vocab_size() - 1
    said = " " + phrases.sentence(phrases.known, rng)
    assert made.decode(made.encode(said).ids) == said


def _tone(frames: int, word: str) -> Utterance:
    power = np.full((MELS, frames), -6.0, np.float16)
    power[20:30] = 0.0
    return Utterance(power, [(word, 0.05, frames / 100 - 0.05)], np.ones(frames // 2, np.int64))


def test_words_keep_their_place_in_a_window_and_what_does_not_fit_is_left_out() -> None:
    rng = np.random.default_rng(5)
    made = pack([_tone(100, "ja"), _tone(100, "nej"), _tone(100, "kanske")], 320, 300, rng, clean=True)
    assert made.mel.shape == (MELS, 320)
    assert np.all(made.mel[:, 300:] == 0.0)
    assert [word for word, _, _ in made.words] == ["ja", "nej"]
    for _, start, end in made.words:
        inside = made.mel[25, int(start * 100) + 2 : int(end * 100) - 2]
        assert inside.min() > 0.9
        assert np.all(made.phonemes[int(start * 50) + 1 : int(end * 50) - 1] == 1)
    before = made.mel[25, : max(0, int(made.words[0][1] * 100) - 8)]
    assert not len(before) or before.max() < 0.0


def test_what_was_spoken_is_kept_for_a_run_that_goes_on(tmp_path: Path) -> None:
    spoken = [_tone(100, "ja"), _tone(60, "nej")]
    save(spoken, {"a": 1}, tmp_path / "material.npz")
    again, numbers = load(tmp_path / "material.npz")
    assert numbers == {"a": 1}
    for one, other in zip(spoken, again, strict=True):
        assert np.array_equal(one.power, other.power)
        assert np.array_equal(one.phonemes, other.phonemes)
        assert [tuple(word) for word in other.words] == one.words


def test_the_telephone_keeps_its_band_and_no_more() -> None:
    t = np.arange(16_000) / 16_000

    def level(hz: float) -> float:
        heard = telephone((0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32))
        return float(np.sqrt(np.mean(heard**2)))

    assert level(1000) > 0.15
    assert level(100) < 0.02
    assert level(6000) < 0.02
