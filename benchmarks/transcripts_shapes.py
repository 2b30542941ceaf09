"""How fast and how large each shape of Whisper is: random weights of the true shape, against plain faster-whisper.

    python -m benchmarks.transcripts_shapes [--shapes tiny base small medium large large-turbo] [--seconds 28]

One shape may be measured at a time: the results keep the others, as long as library, engine and file are the same.

The weights mean nothing, so the words mean nothing either; the work is the same as with the true ones. Where the true
ones write as many words as were said, these would write on for ever: both sides write `TOKENS` tokens a window, once
(no second try at another temperature), beam 5, 8-bit, one thread, word times on.

    file       the spoken turns of the tests' call, one after the other: both sides get the same 16 kHz sound
    ours       the way of a transcript: detector of speech, pieces cut at pauses, language, decoding, every word gated
    peer       faster-whisper's own `transcribe` of the same file in the same run, told the language

Random weights put their words at random times, and the library goes once more over what lies behind a window's last
word: how many windows a side decodes is chance here. They are counted, and the ratio is that of the time a window takes
(all else that a side does, as finding speech and language, is in its time).

Each side runs in a process of its own, so that the peak of its memory (loading included) is its own. Processor time, not
the clock's. Results go to benchmarks/results/transcripts-shapes.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.whisper_shapes import SHAPES, write
from callsvc.transcripts.evaluating.references import Reference
from callsvc.transcripts.listening import listen
from models.recogniser import check, voice, whisper
from models.recogniser.library import faster_whisper
from models.recogniser.words import RATE
from tests.support.house import ROOT

FIXTURE = ROOT / "tests/fixtures/recogniser"
RESULT = Path(__file__).with_name("results") / "transcripts-shapes.json"
TOKENS = 80
"""What some thirty seconds of unhurried speech come to."""


def file(target: Path, seconds: float) -> None:
    """The turns of the tests' call with half a second between them, over and over."""
    turns = json.loads((FIXTURE / "call.json").read_text(encoding="utf-8"))
    legs = {
        leg: soundfile.read(FIXTURE / f"{leg}.flac", dtype="float32")[0] for leg in ("caller", "operator")
    }
    said = []
    for turn in turns:
        first, last = turn["words"][0][1], turn["words"][-1][2]
        said += [legs[turn["leg"]][int(first * RATE) : int(last * RATE)], np.zeros(RATE // 2, np.float32)]
    once = np.concatenate(said)
    whole = np.tile(once, int(seconds * RATE / len(once)) + 1)[: int(seconds * RATE)]
    noise = np.random.default_rng(1).normal(0, 2e-4, len(whole))
    soundfile.write(target, whole + noise, RATE, subtype="PCM_16")


def ours(model: Path, sound: Path) -> int:
    """The way of a transcript; how many words came out."""
    raw, rate = soundfile.read(sound, dtype="int16")
    usual = whisper.options

    def options(language: str | None, *, live: bool = False, marks: bool = False) -> dict[str, Any]:
        return usual(language, live=live, marks=marks) | {"temperature": [0.0], "max_new_tokens": TOKENS}

    whisper.options = options
    one = Reference("caller.rx", raw, rate, ())
    pieces = listen(one, one.name, "caller", whisper.Whisper(check(model)), ["sv"], voice.stretches)
    return sum(len(piece.words) for piece in pieces)


def plain(model: Path, sound: Path) -> int:
    """The library by itself."""
    engine = faster_whisper().WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)
    segments, _ = engine.transcribe(
        str(sound),
        language="sv",
        temperature=0.0,
        max_new_tokens=TOKENS,
        word_timestamps=True,
        without_timestamps=True,
        condition_on_previous_text=False,
    )
    return sum(len(segment.words or ()) for segment in segments)


SIDES: dict[str, Callable[[Path, Path], int]] = {"ours": ours, "plain": plain}


def alone(side: str, model: Path, sound: Path) -> dict[str, Any]:
    """One side in a process of its own: processor time after loading its libraries, and the peak of its memory."""
    command = [sys.executable, "-m", "benchmarks.transcripts_shapes", "--side", side, str(model), str(sound)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def tell(side: str, model: Path, sound: Path) -> None:
    """What `alone` reads."""
    decoded = _count_windows(faster_whisper().WhisperModel)
    began = time.process_time()
    words = SIDES[side](model, sound)
    spent = time.process_time() - began
    found = {"words": words, "windows": len(decoded), "cpu_s": round(spent, 2), "peak_mb": _peak_mb()}
    print(json.dumps(found))


def _count_windows(model: Any) -> list[None]:
    """A list that becomes longer by one whenever the library decodes a window."""
    decoded: list[None] = []
    usual = model.generate_with_fallback

    def counted(*args: Any, **kwargs: Any) -> Any:
        decoded.append(None)
        return usual(*args, **kwargs)

    model.generate_with_fallback = counted
    return decoded


def _peak_mb() -> int:
    """Of this program alone; what getrusage tells begins with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) >> 10


def measure(name: str, seconds: float, work: Path) -> dict[str, Any]:
    """Both sides on one shape. A second of nothing tells what loading costs, and is taken off."""
    model, sound, nothing = work / name, work / f"{name}.wav", work / "nothing.wav"
    write(name, model)
    file(sound, seconds)
    soundfile.write(nothing, np.zeros(RATE, np.int16), RATE)
    began = time.perf_counter()
    row: dict[str, Any] = {"seconds": seconds, "size_mb": check(model).size >> 20}
    loading = alone("ours", model, nothing)["cpu_s"]
    for side in SIDES:
        found = alone(side, model, sound)
        row[side] = {
            "real_time": round((found["cpu_s"] - loading) / seconds, 4),
            "peak_mb": found["peak_mb"],
            "words": found["words"],
            "windows": found["windows"],
            "cpu_s_a_window": round((found["cpu_s"] - loading) / max(1, found["windows"]), 3),
        }
    shutil.rmtree(model)
    row["loading_cpu_s"] = loading
    row["ratio_time"] = round(row["ours"]["cpu_s_a_window"] / row["plain"]["cpu_s_a_window"], 2)
    row["ratio_memory"] = round(row["ours"]["peak_mb"] / row["plain"]["peak_mb"], 2)
    row["wall_s"] = round(time.perf_counter() - began)
    return row


def others(told: dict[str, Any]) -> dict[str, Any]:
    """The shapes that earlier runs measured in the same way."""
    if not RESULT.exists():
        return {}
    before = json.loads(RESULT.read_text(encoding="utf-8"))
    alike = all(before.get(name) == value for name, value in told.items())
    return dict(before["shapes"]) if alike else {}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--seconds", type=float, default=28.0)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        tell(args.side[0], Path(args.side[1]), Path(args.side[2]))
        return
    told: dict[str, Any] = {
        "weights": "random, of the true shape",
        "tokens_a_window": TOKENS,
        "peer": f"faster-whisper {importlib.metadata.version('faster-whisper')}",
        "engine": f"CTranslate2 {importlib.metadata.version('ctranslate2')}, int8, one thread, beam 5",
        "cores": os.cpu_count(),
    }
    told["shapes"] = others(told)
    with tempfile.TemporaryDirectory() as work:
        for name in args.shapes:
            told["shapes"][name] = measure(name, args.seconds, Path(work))
            told["shapes"] = {one: told["shapes"][one] for one in SHAPES if one in told["shapes"]}
            print(name, json.dumps(told["shapes"][name]), flush=True)
            RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
