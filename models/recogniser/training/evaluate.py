"""How well the small recogniser hears: `python -m models.recogniser.training.evaluate MODEL_DIR [--out card.json]`.

Fresh sentences, through the product's own way of decoding, so that the figures are those a user gets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.recogniser import check
from models.recogniser.training.corpus import Phrases
from models.recogniser.training.material import telephone
from models.recogniser.training.speech import RATE, VARIANTS, Spoken, Voice
from models.recogniser.whisper import Whisper
from models.recogniser.words import Word

OTHER_VARIANTS = ["m2", "m5", "f1", "f3"]


def errors(wanted: list[str], heard: list[str]) -> int:
    """Words to change, add or leave out to make one of the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]


def start_errors_ms(spoken: Spoken, heard: Sequence[Word], lead_s: float) -> list[float]:
    """How far each word's start lies from the truth, where the sentence was heard word by word."""
    if [word.text for word in heard] != [word for word, _, _ in spoken.words]:
        return []
    return [
        abs(1000 * (word.start_s - lead_s - start))
        for word, (_, start, _) in zip(heard, spoken.words, strict=True)
    ]


def measure(
    model: Whisper, voice: Voice, sentence: Callable[[], str], variants: list[str], band: bool, count: int
) -> dict[str, float]:
    """Word error rate and median word-start error of `count` sentences."""
    rng = np.random.default_rng(99)
    wrong = total = 0
    starts: list[float] = []
    for _ in range(count):
        text = sentence()
        spoken = voice.say(text, str(rng.choice(variants)), int(rng.integers(140, 181)), 50)
        sound = telephone(spoken.sound) if band else spoken.sound
        lead = np.zeros(int(0.3 * RATE), np.float32)
        noisy = np.concatenate([lead, sound, lead]) + rng.normal(0, 3e-4, len(sound) + 2 * len(lead))
        heard = model.hear(noisy.astype(np.float32), ["sv"]).words
        wrong += errors(text.split(), [word.text for word in heard])
        total += len(text.split())
        starts += start_errors_ms(spoken, heard, 0.3)
    return {
        "wer_pct": round(100 * wrong / total, 1),
        "word_start_median_ms": round(float(np.median(starts)), 0) if starts else -1.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model, voice, phrases = Whisper(check(args.model)), Voice(), Phrases()
    rng = np.random.default_rng(12345)
    known = lambda: phrases.sentence(phrases.known, rng)  # noqa: E731
    held_out = lambda: phrases.sentence(phrases.held_out, rng)  # noqa: E731
    jumble = lambda: phrases.jumble(rng)  # noqa: E731
    found = {
        "known_templates": measure(model, voice, known, VARIANTS, False, args.count),
        "known_templates_telephone": measure(model, voice, known, VARIANTS, True, args.count),
        "held_out_templates": measure(model, voice, held_out, VARIANTS, False, args.count),
        "held_out_templates_telephone": measure(model, voice, held_out, VARIANTS, True, args.count),
        "random_word_order": measure(model, voice, jumble, VARIANTS, False, args.count),
        "other_voices": measure(model, voice, known, OTHER_VARIANTS, False, args.count),
    }
    print(json.dumps(found, indent=1))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
