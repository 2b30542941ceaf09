"""What training draws from, as far as it needs no torch: seeded, labelled where the strokes are, true to the target."""

from __future__ import annotations

import numpy as np
import pytest

from models.suppressor.training import synthetic
from models.suppressor.training.bank import Bank, Stroke, frame_db, utterance
from models.suppressor.training.mixer import Example, Mixer, stack

pytestmark = pytest.mark.quiet
RATE = 16_000


def voice(rng: np.random.Generator) -> np.ndarray:
    """Vowels of sorts, with pauses."""
    t = np.arange(4 * RATE) / RATE
    hum = np.sign(np.sin(2 * np.pi * 120 * t)) + 0.3 * rng.standard_normal(len(t))
    return hum * (np.sin(2 * np.pi * 0.9 * t) > -0.4) * 0.1 + 1e-4 * rng.standard_normal(len(t))


@pytest.fixture(scope="module")
def bank() -> Bank:
    rng = np.random.default_rng(1)
    speakers = {f"ls{n}": [utterance(f"ls{n}", voice(rng), rng)] for n in range(3)}
    keyboards: dict[str, list[Stroke]] = {}
    for name, strokes in synthetic.keyboards(rng, 8, 2):
        made = [Stroke(*s) for s in strokes]
        keyboards[name] = made
        if name in ("made000", "made001"):
            keyboards[name.replace("made", "real") + "~1.0"] = made
    return Bank(speakers, keyboards)


def drawn(bank: Bank, seed: int, count: int) -> list[Example]:
    mixer = Mixer(bank, 3.0, [seed], rooms=3, noises=2)
    return [mixer.example() for _ in range(count)]


def test_the_same_seed_draws_the_same_examples_and_another_draws_others(bank: Bank) -> None:
    first, again, other = (stack(drawn(bank, seed, 4)) for seed in (1, 1, 2))
    assert np.array_equal(first["mix"], again["mix"])
    assert not np.array_equal(first["mix"], other["mix"])


def test_examples_are_finite_unclipped_and_cover_talk_and_typing_alone(bank: Bank) -> None:
    examples = drawn(bank, 3, 40)
    assert all(np.isfinite(e.mix).all() and np.abs(e.mix).max() <= 1 for e in examples)
    silent = [e for e in examples if not e.speech.any()]
    assert 0 < len(silent) < len(examples)
    assert all(np.isnan(e.speech_db) and not e.voice.any() for e in silent)
    assert any((e.keys == 1).any() for e in silent)


def test_where_a_key_is_marked_the_typing_rises(bank: Bank) -> None:
    rises = []
    for e in drawn(bank, 4, 60):
        if e.speech.any() or not (e.keys == 1).any():
            continue
        level = frame_db(e.mix, 10)
        struck = [k for k in np.where(e.keys == 1)[0] if 3 < k < len(level) - 2]
        rises += [max(level[k], level[k + 1]) > level[k - 3] + 1 for k in struck]
    assert len(rises) > 20
    assert np.mean(rises) > 0.7


def test_held_out_names_leave_the_bank_with_all_their_variants(bank: Bank) -> None:
    less = bank.without({"ls1"}, {"real001"})
    assert set(less.speakers) == {"ls0", "ls2"}
    assert "real001~1.0" not in less.keyboards
    assert "real000~1.0" in less.keyboards


def test_a_whispered_voice_has_lost_its_pitch() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(2 * RATE) / RATE
    buzz = np.sign(np.sin(2 * np.pi * 125 * t))
    lag = RATE // 125

    def periodic(x: np.ndarray) -> float:
        return float(np.dot(x[:-lag], x[lag:]) / np.dot(x, x))

    assert periodic(buzz) > 0.9
    assert periodic(synthetic.whisper(buzz, rng)) < 0.5
