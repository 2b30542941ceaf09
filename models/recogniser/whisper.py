"""Whisper through faster-whisper, on the processor, one piece of sound at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recogniser.directory import ModelCard
from models.recogniser.library import faster_whisper
from models.recogniser.words import RATE, Word

WHOLE_S = 30.0
"""Whisper's own window."""


def options(language: str) -> dict[str, Any]:
    """How a piece is decoded, for what may become evidence. Nobody else builds options.

    The detector of speech has been there before: `vad_filter` would move the times. No text is carried from one
    piece to the next, and three temperatures at most. The library's own way with invented words is off: it takes short
    answers for inventions and drops them, where the gate marks.
    """
    return {
        "language": language,
        "task": "transcribe",
        "beam_size": 5,
        "temperature": [0.0, 0.2, 0.4],
        "condition_on_previous_text": False,
        "word_timestamps": True,
        "hallucination_silence_threshold": None,
        "compression_ratio_threshold": 2.4,
        "log_prob_threshold": -1.0,
        "no_speech_threshold": 0.6,
        "vad_filter": False,
        "without_timestamps": True,
    }


def in_window(features: NDArray[np.float32], window_s: float) -> NDArray[np.float32]:
    """The first `window_s` of a window that the library filled up with zeros, or as much as the sound needs."""
    sounding = np.flatnonzero(np.any(features != 0.0, axis=0))
    frames = max(round(window_s * 100), int(sounding[-1]) + 1 if len(sounding) else 0)
    return np.ascontiguousarray(features[:, : frames + frames % 2])


class Whisper:
    """A model in memory. Not to be used from several threads at once."""

    def __init__(self, card: ModelCard, threads: int = 1) -> None:
        self.card = card
        self._model = faster_whisper().WhisperModel(
            str(card.path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        if card.window_s < WHOLE_S:
            whole = self._model.encode
            self._model.encode = lambda features: whole(in_window(features, card.window_s))

    @property
    def longest_s(self) -> float:
        return self.card.longest_s

    def hear(self, sound: NDArray[np.float32], language: str) -> list[Word]:
        """The words in at most half a minute. Raises `LanguageUnknown`.

        Only what the first look at the piece gave is kept: the library looks again at what is left after the last
        word, and invents there.
        """
        self.card.require(language)
        found, _ = self._model.transcribe(sound, **options(language))
        length_s = len(sound) / RATE
        words: list[Word] = []
        for segment in found:
            if segment.seek != 0:
                break
            words += [
                Word(
                    min(float(word.start), length_s),
                    min(float(word.end), length_s),
                    str(word.word).strip(),
                    round(float(word.probability), 4),
                )
                for word in segment.words or ()
                if word.word.strip()
            ]
        return words or self._without_times(sound, language)

    def _without_times(self, sound: NDArray[np.float32], language: str) -> list[Word]:
        """The library drops a text whose word times fall together, as short answers' do: then its words share the piece."""
        found, _ = self._model.transcribe(sound, **(options(language) | {"word_timestamps": False}))
        heard = [(word, segment) for segment in found if segment.seek == 0 for word in segment.text.split()]
        each = len(sound) / RATE / max(1, len(heard))
        return [
            Word(k * each, (k + 1) * each, word, round(math.exp(segment.avg_logprob), 4))
            for k, (word, segment) in enumerate(heard)
        ]
