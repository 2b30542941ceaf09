"""How well the small recogniser hears: `python -m models.recogniser.training.evaluate MODEL_DIR [--out card.json]`.

Fresh sentences, through the product's own way of decoding, so that the figures are those a user gets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
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
    model: Whisper,
    voice: Voice,
    sentence: Callable[[], str],
    variants: list[str],
    band: bool,
    count: int,
    *,
    marks: bool = False,
) -> dict[str, float]:
    """Word error rate and median word-start error of `count` sentences, written with time `marks` or without."""
    rng = np.random.default_rng(99)
    wrong = total = 0
    starts: list[float] = []
    for _ in range(count):
        text = sentence()
        spoken = voice.say(text, str(rng.choice(variants)), int(rng.integers(140, 181)), 50)
        sound = telephone(spoken.sound) if band else spoken.sound
        lead = np.zeros(int(0.3 * RATE), np.float32)
        noisy = np.concatenate([lead, sound, lead]) + rng.normal(0, 3e-4, len(sound) + 2 * len(lead))
        heard = model.hear(noisy.astype(np.float32), ["sv"], marks=marks).words
        wrong += errors(text.split(), [word.text for word in heard])
        total += len(text.split())
        starts += start_errors_ms(spoken, heard, 0.3)
    return {
        "wer_pct": round(100 * wrong / total, 1),
        "word_start_median_ms": round(float(np.median(starts)), 0) if starts else -1.0,
    }


def silence(model: Whisper, count: int = 24) -> dict[str, float]:
    """Words that it writes into pieces of hiss and hum, without the detector of speech before it."""
    rng = np.random.default_rng(7)
    words = 0
    for k in range(count):
        sound = rng.normal(0, 10.0 ** rng.uniform(-5, -2), int(RATE * rng.uniform(1, 7)))
        if k % 2:
            sound += 0.03 * np.sin(2 * np.pi * 50 * np.arange(len(sound)) / RATE)
        words += len(model.hear(sound.astype(np.float32), ["sv"], marks=k % 4 > 1).words)
    return {"pieces": count, "words": words}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model, voice, phrases = Whisper(check(args.model)), Voice(), Phrases()
    made = {
        "known_templates": (lambda rng: phrases.sentence(phrases.known, rng), VARIANTS),
        "held_out_templates": (lambda rng: phrases.sentence(phrases.held_out, rng), VARIANTS),
        "random_word_order": (phrases.jumble, VARIANTS),
        "other_voices": (lambda rng: phrases.sentence(phrases.known, rng), OTHER_VARIANTS),
    }
    found: dict[str, dict[str, float]] = {}
    for name, (sentence, variants) in made.items():
        for band in (False, True):
            for marks in (False, True):
                rng = np.random.default_rng(12345)
                place = name + "_telephone" * band + "_with_times" * marks
                found[place] = measure(
                    model,
                    voice,
                    partial(sentence, rng),
                    variants,
                    band,
                    args.count,
                    marks=marks,
                )
                print(place, found[place], flush=True)
    found["no_speech"] = silence(model)
    print(json.dumps(found, indent=1))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
