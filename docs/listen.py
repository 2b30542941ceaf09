"""Makes the listening examples of the documentation with the weights as they are: python docs/listen.py

Voices and strokes are those of the demonstration call (callsvc/demo/scene/ORIGIN.md). Each example is a sentence with
typing under it, a pause with typing, and a sentence again, before and after the suppressor with comfort noise, as in a
call; and the picture of the first.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.suppressor import RATE
from callsvc.clean.cleaning import clean, stroke_seconds
from callsvc.clean.sound import Source, sink
from callsvc.pictures import Labels, before_after
from models.suppressor import load

Float = NDArray[np.float32]

ROOT = Path(__file__).parents[1]
SCENE = ROOT / "callsvc" / "demo" / "scene"
PLACE = ROOT / "docs" / "static" / "listen"
EXAMPLES = (
    ("hp_office", "operator-a0001"),
    ("macbookair", "operator-a0289"),
    ("cherrymx-brown-abs", "operator-a0455"),
)
SENTENCE_S, PAUSE_S = 2.4, 2.2
VOICE_DB, STROKE_DB, ROOM_DB = -26.0, -16.0, -56.0
"""The room is louder than the recordings' own, at -60: a room that ends with the sentence would be heard to come and go,
and comfort noise would put back what is not there any more."""


def read(path: Path) -> Float:
    """A file, mono, at 16 kHz."""
    import soxr

    source = Source(path)
    whole = np.concatenate(list(source.pieces())).mean(axis=1)
    even: Float = soxr.resample(whole, source.shape.rate_hz, RATE).astype(np.float32)
    return even


def level(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def mix(keyboard: str, voice: str, seed: int) -> Float:
    """Sentence, pause, sentence; typing from beginning to end."""
    rng = np.random.default_rng(seed)
    said = read(SCENE / "voices" / f"{voice}.ogg")
    loud = np.abs(said) > 0.1 * np.abs(said).max()
    said *= level(VOICE_DB) / np.sqrt(np.mean(said[loud] ** 2)) * np.float32(1.6)
    first = int(np.argmax(loud)) - RATE // 20
    said = said[max(0, first) :]
    n, gap = int(SENTENCE_S * RATE), int(PAUSE_S * RATE)
    out = np.zeros(2 * n + gap, np.float32)
    fade = np.ones(n, np.float32)
    fade[-800:] = np.linspace(1, 0, 800)
    for start, part in ((0, said[:n]), (n + gap, said[n : 2 * n])):
        out[start : start + len(part)] += part * fade[: len(part)]
    strokes = json.loads((SCENE / "keys" / "strokes.json").read_text())[keyboard]
    at = 0.3
    while at < len(out) / RATE - 0.3:
        stroke = strokes[int(rng.integers(len(strokes)))]
        sound = read(SCENE / "keys" / stroke["file"])
        sound *= level(STROKE_DB + rng.normal(0, 1.5)) / np.abs(sound).max()
        start = int((at - stroke["press_s"]) * RATE)
        out[start : start + len(sound)] += sound[: len(out) - start]
        at += float(np.clip(0.17 * np.exp(0.35 * rng.standard_normal()), 0.08, 0.4))
    return out + (rng.standard_normal(len(out)) * level(ROOM_DB)).astype(np.float32)


def main() -> None:
    network = load()
    PLACE.mkdir(parents=True, exist_ok=True)
    for seed, (keyboard, voice) in enumerate(EXAMPLES, start=1):
        before, after = PLACE / f"{keyboard}-before.ogg", PLACE / f"{keyboard}-after.ogg"
        out = sink(before, ".ogg", RATE, 1)
        out.write(mix(keyboard, voice, seed)[:, None])
        out.close()
        done = clean(network, before, after, comfort=True, force=True, pictures=True)
        print(f"{keyboard}: {done.channels[0].proof}")
        if seed == 1 and done.before is not None and done.after is not None:
            marks = stroke_seconds(done.channels[0])
            words = Labels("An office keyboard", "Before", "After", f"{len(marks)} keystrokes")
            before_after(done.before, done.after, marks, words).save(PLACE / "picture.webp", quality=82)


if __name__ == "__main__":
    main()
