"""The proof of a call says what the pool's judge says, who knows every stroke and the room: with real voices and keys."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from audio.suppressor import Suppressor
from audio.suppressor.frames import Float
from audio.suppressor.network import Step
from models.suppressor import Network
from tests.support.streams import decibels, noise

pytestmark = pytest.mark.quiet

RATE = 16000
SCENE = Path(str(resources.files("callsvc.demo") / "scene"))
KEYBOARDS = ("hp_office", "macbookair")


def at_16k(path: Path) -> Float:
    samples, rate = soundfile.read(path, dtype="float32")
    made: Float = resample_poly(samples, RATE, rate).astype(np.float32)
    return made


@cache
def mix(keyboard: str, room_db: float) -> tuple[Float, tuple[float, ...]]:
    """Typing, a sentence, typing: 11 s; and when the strokes are, all of them outside the sentence."""
    rng = np.random.default_rng(len(keyboard))
    strokes = json.loads((SCENE / "keys" / "strokes.json").read_text())[keyboard]
    made = noise(11, 10 ** (room_db / 20), seed=5)
    said = at_16k(SCENE / "voices" / "operator-a0001.ogg")[: 2 * RATE]
    made[4 * RATE : 6 * RATE] += said * np.float32(0.05 / np.sqrt(np.mean(said**2)))
    times = []
    for first, last in ((0.5, 3.6), (7.0, 10.6)):
        at = first
        while at < last:
            stroke = strokes[int(rng.integers(len(strokes)))]
            sound = at_16k(SCENE / "keys" / stroke["file"])
            sound *= np.float32(10 ** (rng.uniform(-34, -14) / 20) / np.abs(sound).max())
            start = int((at - stroke["press_s"]) * RATE)
            made[start : start + len(sound)] += sound[: len(made) - start]
            times.append(at)
            at += float(rng.uniform(0.13, 0.3))
    return made, tuple(times)


class Leaky:
    """The network, held open by so much: some of every stroke stays."""

    def __init__(self, least: float) -> None:
        self._network, self._least = Network(), np.float32(least)
        self.name, self.sha256, self.state_size = "leaky", self._network.sha256, self._network.state_size

    def step(self, features: Float, state: Float) -> Step:
        step = self._network.step(features, state)
        np.maximum(step.gains, self._least, out=step.gains)
        return step


def audible(sound: Float, times: tuple[float, ...], room_db: float) -> float:
    """The judge's criterion: loudest 8 ms in [-5, +60] ms, to the next press; in per cent."""
    limit, heard = max(room_db + 6, -60.0), 0
    for n, time in enumerate(times):
        end = min(time + 0.06, times[n + 1] - 0.005 if n + 1 < len(times) else time + 0.06)
        window = sound[int((time - 0.005) * RATE) : int(end * RATE)]
        levels = [decibels(window[i : i + 128]) for i in range(0, len(window) - 127, 64)]
        heard += max(levels) > limit
    return 100 * heard / len(times)


@pytest.mark.parametrize(("least", "room_db"), [(0.0, -60.0), (0.15, -60.0), (0.05, -75.0)])
def test_the_proof_agrees_with_the_judge_and_does_not_flatter(least: float, room_db: float) -> None:
    proofs, before, after, strokes = [], [], [], 0
    for keyboard in KEYBOARDS:
        sound, times = mix(keyboard, room_db)
        suppressor = Suppressor(Leaky(least))
        out = suppressor.process(np.concatenate((sound, np.zeros(RATE, np.float32))))
        proofs.append(suppressor.proof())
        before.append(audible(sound, times, room_db))
        after.append(audible(out, times, room_db))
        strokes += len(times)
    judged = sum(p.judged for p in proofs)
    ours = sum(p.judged * (p.audible_after_pct or 0) for p in proofs) / judged
    assert judged > 0.75 * strokes
    assert np.mean(after) - 6 <= ours <= np.mean(after) + 10
    ours = sum(p.judged * (p.audible_before_pct or 0) for p in proofs) / judged
    assert np.mean(before) - 6 <= ours <= np.mean(before) + 12
    assert np.mean(before) > 20, "there was something to hear"
    assert (np.mean(after) > 5) == (least > 0), "and there is when the network leaks"
