"""A recorded call that is worth reviewing: an operator who types and speaks, what the caller was left with, and a shout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio.suppressor import RATE, Suppressor
from audio.taps import Samples, Track
from callsvc.demo import composition, sound
from models.suppressor import load
from tests.support import past_calls, recordings
from tests.support.recordings import Made

SECONDS = 36
SHOUT_S = (20, 23)


def _int16(wave: sound.Samples) -> Samples:
    samples: Samples = (32767 * np.clip(wave, -1, 1)).astype(np.int16)
    return samples


def tracks() -> dict[str, Samples]:
    """The three tracks: the demonstration's voices and typing, its typing taken out, and a caller who shouts."""
    scene = composition.compose().cut(SECONDS)
    raw = sound.resample(scene.operator, composition.RATE, RATE)
    caller = sound.resample(scene.caller, composition.RATE, 8000)
    caller = np.pad(caller, (0, max(0, SECONDS * 8000 - len(caller))))[: SECONDS * 8000]
    first, last = (8000 * at for at in SHOUT_S)
    at = np.arange(last - first) / 8000
    caller[first:last] = (
        0.35 * np.sign(np.sin(2 * np.pi * 190 * at)) * np.clip(np.sin(2 * np.pi * 3 * at) + 0.8, 0, 1)
    )
    quiet = Suppressor(load(), comfort=True).process(raw).astype(np.float64)
    return {"caller.rx": _int16(caller), "operator.rx": _int16(raw), "operator.tx": _int16(quiet)}


def record(base: Path) -> Made:
    """That call, recorded and sealed."""
    sounds = tracks()

    def heard(track: Track, start: int, length: int) -> Samples:
        piece = sounds[track.name][start : start + length]
        return np.pad(piece, (0, length - len(piece)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "sound", heard)
        return recordings.make_recording(base, seconds=SECONDS, tracks=past_calls.TRACKS)
