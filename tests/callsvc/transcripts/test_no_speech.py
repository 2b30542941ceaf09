"""An hour in which nobody speaks: no word, whoever listens."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from callsvc.transcripts.listening import BLOCK_S, listen
from models.recogniser import voice
from models.recogniser.tone import steadiness
from tests.callsvc.transcripts.test_listening import Chatterbox, Tape
from tests.support.no_speech import KINDS, RATE, minute

pytestmark = [pytest.mark.transcripts, pytest.mark.timeout(300)]

MINUTES = 60


def test_in_an_hour_without_speech_one_who_always_talks_has_nothing_to_say() -> None:
    talks = Chatterbox()
    kinds = itertools.cycle(KINDS)
    for first in range(0, MINUTES, BLOCK_S // 60):
        block = [(next(kinds), first + n) for n in range(BLOCK_S // 60)]
        sound = np.concatenate([minute(kind, seed) for kind, seed in block])
        found = listen(Tape(sound, RATE), "caller.rx", "caller", talks, ["sv"], voice.stretches)
        words = [(block[piece.start_ms // 60_000], piece.start_ms, len(piece.words)) for piece in found]
        assert words == []
    assert talks.given == []


def test_a_held_note_is_steady_and_a_gliding_voice_is_not() -> None:
    t = np.arange(2 * RATE) / RATE
    note = np.sin(2 * np.pi * 330 * t)
    glide = np.sin(2 * np.pi * np.cumsum(200 + 60 * np.sin(2 * np.pi * 1.5 * t)) / RATE)
    assert steadiness(note.astype(np.float32)) > 0.9
    assert steadiness(glide.astype(np.float32)) < 0.4
    assert steadiness(np.zeros(100, np.float32)) == 0.0
    assert steadiness(np.zeros(RATE, np.float32)) == 0.0
