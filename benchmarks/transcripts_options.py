"""What the library's own remedy against invented words would delete, and what it would save.

    python -m benchmarks.transcripts_options

`hallucination_silence_threshold` drops what looks invented around silence. Three kinds of piece are decoded with it (2 s)
and without, through the same engine: whole utterances, short ones, and utterances with three seconds of line noise between
them in one piece. The peer is faster-whisper's own remedy. Results go to benchmarks/results/transcripts-options.json.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsvc.demo.sound import read
from callsvc.transcripts.evaluating.aligning import align
from models.recogniser import check, packaged, whisper
from models.recogniser.whisper import Whisper
from tests.support.house import ROOT

FIXTURE = ROOT / "tests/fixtures/recogniser"
RESULT = Path(__file__).with_name("results") / "transcripts-options.json"
RATE = 16_000
THRESHOLD_S = 2.0

Piece = tuple[NDArray[np.float32], list[str]]


def turns() -> list[Piece]:
    """Each utterance with a moment around it, and its words."""
    found = []
    for turn in json.loads((FIXTURE / "call.json").read_text(encoding="utf-8")):
        sound = read(FIXTURE / f"{turn['leg']}.flac", RATE).astype(np.float32)
        first, last = turn["words"][0][1] - 0.25, turn["words"][-1][2] + 0.25
        found.append(
            (sound[int(max(0, first) * RATE) : int(last * RATE)], [word for word, _, _ in turn["words"]])
        )
    return found


def pieces() -> dict[str, list[Piece]]:
    rng = np.random.default_rng(4)
    whole = turns()
    noise = rng.normal(0, 0.004, 3 * RATE).astype(np.float32)
    pairs = [(a, b) for a, b in itertools.pairwise(whole) if len(a[0]) + len(b[0]) < 5 * RATE]
    return {
        "whole utterances": whole,
        "short utterances": [one for one in whole if len(one[1]) <= 4],
        "noise between two": [(np.concatenate([a[0], noise, b[0]]), a[1] + b[1]) for a, b in pairs],
    }


def measure(model: Whisper, found: list[Piece], threshold_s: float | None) -> dict[str, int]:
    usual = whisper.options

    def options(language: str | None, *, live: bool = False, marks: bool = False) -> dict[str, Any]:
        return usual(language, live=live, marks=marks) | {"hallucination_silence_threshold": threshold_s}

    count = {"spoken": 0, "right": 0, "lost": 0, "put_in": 0}
    whisper.options = options
    try:
        for sound, words in found:
            # As in a transcript, what a second look at the rest gives is not kept.
            heard, _ = model._model.transcribe(sound, **options("sv"))
            told = [
                word.word.strip()
                for segment in heard
                if segment.seek == 0
                for word in segment.words or ()
                if word.word.strip()
            ]
            pairs = align([word.lower() for word in words], [word.lower() for word in told])
            count["spoken"] += len(words)
            count["right"] += sum(pair.same for pair in pairs)
            count["lost"] += sum(pair.heard is None for pair in pairs)
            count["put_in"] += sum(pair.spoken is None for pair in pairs)
    finally:
        whisper.options = usual
    return count


def main() -> None:
    model = Whisper(check(packaged.directory()))
    rows = {
        name: {"off": measure(model, found, None), "on": measure(model, found, THRESHOLD_S)}
        for name, found in pieces().items()
    }
    for name, row in rows.items():
        print(f"{name:<20} off {row['off']}   on {row['on']}")
    right = {which: sum(row[which]["right"] for row in rows.values()) for which in ("off", "on")}
    told = {
        "model": model.card.name,
        "peer": f"hallucination_silence_threshold={THRESHOLD_S} of faster-whisper {importlib.metadata.version('faster-whisper')}",
        "cores": os.cpu_count(),
        "ratio_right_words": round(right["off"] / max(1, right["on"]), 3),
        **rows,
    }
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
