"""Figures of a placed call, from outside: the operator's own file against what came to the caller, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audio.suppressor import BLOCK, Engine, StrokeInfo
from audio.suppressor import RATE as SUPPRESSOR_RATE
from callsvc.demo import composition, measure
from callsvc.demo.composition import Scene
from callsvc.demo.measure import Heard
from callsvc.demo.placing import Side
from callsvc.demo.sound import Samples, read, resample
from callsvc.types import Leg
from models.suppressor import load

LONGEST_LAG_S = 10.0
ENGINE_S = 6.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Delays in milliseconds. `before` and `after` are at 16 kHz, aligned with the scene's labels."""

    typed: Heard
    heard: Heard
    before: Samples
    after: Samples
    similarity: float
    whole_delay_ms: float
    """From the operator's microphone to the caller's ear."""
    untouched_delay_ms: float
    """The other direction, which is only passed on."""
    caller_unchanged: bool


def figures(scene: Scene, sides: dict[Leg, Side]) -> Figures:
    """Measure one call."""
    rate = measure.RATE
    before = resample(scene.operator, composition.RATE, rate)
    arrived = read(sides[Leg.CALLER].heard, rate)
    lag = measure.lag_samples(before, arrived, int(LONGEST_LAG_S * rate))
    after = measure.advanced(arrived, lag, len(before))
    said = measure.words(before, after, scene.speech_s)
    other = resample(scene.caller, composition.RATE, rate)
    back = measure.lag_samples(other, read(sides[Leg.OPERATOR].heard, rate), int(LONGEST_LAG_S * rate))
    return Figures(
        measure.strokes(before, scene.strokes_s, scene.speech_s, scene.room_dbfs),
        measure.strokes(after, scene.strokes_s, scene.speech_s, scene.room_dbfs, said.spread_s),
        before,
        after,
        said.similarity,
        _delay_ms(sides[Leg.OPERATOR], sides[Leg.CALLER], lag / rate),
        _delay_ms(sides[Leg.CALLER], sides[Leg.OPERATOR], back / rate),
        unchanged(sides[Leg.CALLER].notes.sent, sides[Leg.OPERATOR].notes.received),
    )


def unchanged(sent: list[str], received: list[str]) -> bool:
    """Whether all that was sent came in, in order and byte for byte, with nothing put in between."""
    if not sent or sent[0] not in received:
        return False
    starts = [k for k, payload in enumerate(received) if payload == sent[0]]
    return any(received[k : k + len(sent)] == sent for k in starts)


def engine_delay_ms(scene: Scene) -> float:
    """The suppressor's own delay: the operator's sound through a running engine, block by block, correlated."""
    sound = resample(scene.operator, composition.RATE, SUPPRESSOR_RATE)[: int(ENGINE_S * SUPPRESSOR_RATE)]
    whole = sound[: len(sound) // BLOCK * BLOCK].astype(np.float32)
    out: list[np.ndarray] = []

    def take(block: np.ndarray, _info: StrokeInfo) -> None:
        out.append(block)

    with Engine(load(), streams=1) as engine:
        stream = engine.open(take)
        for start in range(0, len(whole), BLOCK):
            stream.push(whole[start : start + BLOCK])
        stream.close()
    passed = np.concatenate(out).astype(np.float64)
    return (
        1000.0 * measure.lag_samples(whole.astype(np.float64), passed, SUPPRESSOR_RATE // 4) / SUPPRESSOR_RATE
    )


def _delay_ms(speaker: Side, listener: Side, lag_s: float) -> float:
    """From the speaker's first sample leaving to its arrival at the listener's."""
    played = speaker.notes.played_at
    return 1000.0 * (listener.notes.heard_from + lag_s - played) if played is not None else 0.0
