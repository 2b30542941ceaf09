"""The library is told to stay off the network before it is imported, and finds speech on a telephone line."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from callsvc.demo import composition, sound
from models.recogniser.voice import stretches
from models.recogniser.words import RATE

pytestmark = pytest.mark.transcripts


def test_the_hub_is_off_when_the_library_is_first_imported() -> None:
    program = (
        "import sys\n"
        "from models.recogniser.library import faster_whisper\n"
        "assert 'huggingface_hub' not in sys.modules\n"
        "faster_whisper()\n"
        "import huggingface_hub.constants as c\n"
        "print(c.HF_HUB_OFFLINE)\n"
    )
    clean = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "True"


def test_silence_noise_and_hum_hold_no_speech() -> None:
    rng = np.random.default_rng(1)
    seconds = 10
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(seconds * RATE) / RATE)
    for quiet in (np.zeros(seconds * RATE), rng.normal(0, 0.01, seconds * RATE), hum):
        assert stretches(quiet.astype(np.float32)) == []


def test_typing_alone_holds_no_speech_and_the_words_around_it_are_found() -> None:
    scene = composition.compose()
    heard = sound.resample(scene.operator, composition.RATE, RATE).astype(np.float32)
    found = [(a / RATE, b / RATE) for a, b in stretches(heard)]
    for start, end in scene.speech_s:
        assert any(a <= start + 0.3 and b >= end - 0.3 for a, b in found), (start, end)
    # A second into the typing between two sentences of the operator, nobody speaks.
    for typed in (5.5, 7.0, 14.5, 15.5, 22.0, 23.0):
        assert not any(a <= typed <= b for a, b in found), typed
