"""A hint of what is coming: loud, crying-like and long-silent stretches are marked, and ordinary speech is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.taps import Samples
from callsvc.review.exposure import Kind, Stretch, exposure
from callsvc.types import Leg, Track

pytestmark = pytest.mark.screens

Wave = NDArray[np.float64]
RATES = {Track.CALLER_RX: 8000, Track.OPERATOR_TX: 16000}


@dataclass(frozen=True)
class Info:
    rate_hz: int
    samples: int


class Sounding:
    """A recording of given sound."""

    def __init__(self, sounds: Mapping[Track, Wave]) -> None:
        self._sounds = {name: (32767 * wave).astype(np.int16) for name, wave in sounds.items()}
        self.tracks = {str(name): Info(RATES[name], len(wave)) for name, wave in sounds.items()}

    def read(self, track: str, start: int, n: int) -> Samples:
        out = np.zeros(n, np.int16)
        there = self._sounds[Track(track)]
        first, last = max(0, start), min(len(there), start + n)
        out[first - start : last - start] = there[first:last]
        return out


def voice(rate: int, seconds: float, hz: float, db: float, *, sway: float = 0.06) -> Wave:
    """A voice of harmonics in syllables, swaying around a pitch, this loud (dBFS)."""
    at = np.arange(int(seconds * rate)) / rate
    pitch = hz * (1 + sway * np.sin(2 * np.pi * 0.9 * at) + sway / 2 * np.sin(2 * np.pi * 3.1 * at))
    turn = 2 * np.pi * np.cumsum(pitch) / rate
    tone = sum((np.sin(n * turn) / n for n in range(1, 6)), np.zeros(len(at)))
    syllables = np.clip(np.sin(2 * np.pi * 3.3 * at) + 0.6, 0, 1)
    sound = tone * syllables
    loud: Wave = sound * 10 ** (db / 20) / np.sqrt((sound**2).mean())
    return loud


def silence(rate: int, seconds: float) -> Wave:
    return 0.0001 * np.random.default_rng(4).standard_normal(int(seconds * rate))


def call(*pieces: Wave) -> Sounding:
    """What the caller sends, with an operator who says little."""
    caller = np.concatenate(pieces)
    operator = silence(16000, len(caller) / 8000)
    operator[: 16000 * 5] += voice(16000, 5, 190, -32)
    return Sounding({Track.CALLER_RX: caller, Track.OPERATOR_TX: operator})


def kinds(found: list[Stretch], kind: Kind) -> list[Stretch]:
    return [one for one in found if one.kind == kind]


@pytest.mark.parametrize("hz", [110, 205])
def test_ordinary_speech_is_neither_loud_nor_crying(hz: float) -> None:
    assert exposure(call(voice(8000, 30, hz, -30))) == []


def test_a_shout_is_marked_where_it_is_and_on_whose_side() -> None:
    speech = voice(8000, 20, 130, -30)
    found = kinds(exposure(call(speech, voice(8000, 3, 180, -14), speech)), Kind.LOUD)
    assert [one.leg for one in found] == [Leg.CALLER]
    assert 19_500 <= found[0].start_ms <= 20_500
    assert 22_500 <= found[0].end_ms <= 23_700


def test_a_high_and_moving_voice_is_marked_as_crying_like() -> None:
    speech = voice(8000, 25, 200, -30)
    found = kinds(exposure(call(speech, voice(8000, 6, 480, -30, sway=0.1), speech)), Kind.CRYING)
    assert len(found) == 1
    assert 23_500 <= found[0].start_ms <= 26_500
    assert 29_500 <= found[0].end_ms <= 32_500


def test_a_tone_of_the_telephone_is_nobody_crying() -> None:
    at = np.arange(8000 * 8) / 8000
    tone = 0.05 * np.sin(2 * np.pi * 425 * at)
    speech = voice(8000, 20, 130, -30)
    assert kinds(exposure(call(speech, tone, speech)), Kind.CRYING) == []


def test_a_long_silence_of_both_is_marked_and_a_pause_is_not() -> None:
    speech = voice(8000, 15, 130, -30)
    found = exposure(call(speech, silence(8000, 4), speech, silence(8000, 14), speech))
    assert [one.kind for one in found] == [Kind.SILENT]
    assert found[0].leg is None
    assert 33_500 <= found[0].start_ms <= 34_500
    assert 47_500 <= found[0].end_ms <= 48_700


def test_a_call_without_any_sound_is_one_silence() -> None:
    found = exposure(Sounding({Track.CALLER_RX: silence(8000, 20)}))
    assert [(one.kind, one.start_ms) for one in found] == [(Kind.SILENT, 0)]
