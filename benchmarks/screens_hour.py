"""An hour of recorded talk for the measurement of the screens: the voices that ship with the demonstration call, again and
again, each time at another loudness and after another pause, through the real recorder and its seals."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import soxr

from audio.taps import Track
from callsvc.demo.composition import compose
from callsvc.demo.sound import Samples
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.recorder import Recorder
from callsvc.types import Leg
from tests.support.past_calls import TRACKS
from tests.support.recordings import FRAME_MS, Made, Sink, lengths, wait_for

SCENE_HZ = 48_000
AT_ONCE_S = 5
PAUSES_S = (0.4, 3.0)
LOUDNESS = (0.5, 1.0)
WORD_MS = 330


@dataclass(frozen=True)
class Hour:
    """What was recorded, and when a turn of the scene begins and ends in it."""

    made: Made
    turns: tuple[tuple[float, float], ...]


Spoken = tuple[Leg, str, int, int]
"""Who, what, from and to in milliseconds."""


def record(base: Path, seconds: int, *, seed: int = 7) -> Hour:
    """So many seconds of talk, faster than they were spoken."""
    chance = random.Random(seed)
    scene = compose()
    turn = {track.name: _heard(track, scene.caller, scene.operator) for track in TRACKS}
    length = {track.name: track.rate_hz * FRAME_MS // 1000 for track in TRACKS}
    keys, sink = FileKeyRing(base / "keys"), Sink()
    recorder = Recorder(base / "spool", keys, node="node-1", sink=sink)
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    turns, at, frames = [], 0.0, seconds * 1000 // FRAME_MS
    sound = {track.name: np.zeros(seconds * track.rate_hz, np.int16) for track in TRACKS}
    while at < seconds:
        loud = chance.uniform(*LOUDNESS)
        for track in TRACKS:
            first = round(at * track.rate_hz)
            part = turn[track.name][: len(sound[track.name]) - first]
            sound[track.name][first : first + len(part)] = part * loud
        turns.append((at, min(at + scene.length_s, seconds)))
        at += scene.length_s + chance.uniform(*PAUSES_S)
    for first in range(0, frames, AT_ONCE_S * 1000 // FRAME_MS):
        last = min(first + AT_ONCE_S * 1000 // FRAME_MS, frames)
        for track in TRACKS:
            size = length[track.name]
            for n in range(first, last):
                call.tap(track.name).write(n * size, sound[track.name][n * size : (n + 1) * size])
        call.due = 0.0
        call.wake()
        wait_for(lambda target=last * FRAME_MS: call.writing.safe_ms >= target, 120)  # type: ignore[misc]
    call.close(lengths(TRACKS, frames), "hangup")
    wait_for(lambda: (base / "spool" / name / "manifest.json").exists(), 120)
    recorder.stop()
    return Hour(Made(base / "spool" / name, name, keys, sink, frames, ()), tuple(turns))


def said(hour: Hour, text: str) -> list[Spoken]:
    """Words for the whole of it; a turn of the scene is some lines of both parties."""
    words = text.split()
    lines: list[Spoken] = []
    for begin, end in hour.turns:
        at = round(1000 * begin)
        while at + WORD_MS * len(words) <= 1000 * end:
            leg = Leg.OPERATOR if len(lines) % 3 == 0 else Leg.CALLER
            many = 4 + 7 * len(lines) % (2 * len(words) - 4)
            told = [words[(len(lines) + n) % len(words)] for n in range(many)]
            lines.append((leg, " ".join(told).capitalize() + ".", at, at + WORD_MS * many))
            at += WORD_MS * many + 400
    return lines


def _heard(track: Track, caller: Samples, operator: Samples) -> Samples:
    sound = caller if track.name == "caller.rx" else operator
    heard: Samples = np.clip(soxr.resample(sound, SCENE_HZ, track.rate_hz) * 32767, -32768, 32767)
    return heard
