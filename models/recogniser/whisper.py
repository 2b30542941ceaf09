"""Whisper through faster-whisper, on the processor, one piece of sound at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recogniser.directory import ModelCard
from models.recogniser.library import faster_whisper
from models.recogniser.tongue import choose
from models.recogniser.words import RATE, Hearing, Word

WHOLE_S = 30.0
"""Whisper's own window."""
LIVE_ROOM_S = 1.0
"""Silence after the sound of a caption: without any the last word is lost."""


def options(language: str | None, *, live: bool = False, marks: bool = False) -> dict[str, Any]:
    """How a piece is decoded, for what may become evidence, or `live` for captions. Nobody else builds options.

    Without time `marks` in the text: pieces are cut at pauses before, and word times come from the model's attention.

    The detector of speech has been there before: `vad_filter` would move the times. No text is carried from one
    piece to the next, and three temperatures at most. The library's own way with invented words is off: it deletes,
    where the gate marks (benchmarks.transcripts_options shows what it would delete).
    """
    found: dict[str, Any] = {
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
        "without_timestamps": not marks,
    }
    if live:
        found |= {"beam_size": 1, "temperature": [0.0], "word_timestamps": False}
    return found


def in_window(features: NDArray[np.float32], window_s: float) -> NDArray[np.float32]:
    """The first `window_s` of a window that the library filled up with zeros, or as much as the sound needs."""
    sounding = np.flatnonzero(np.any(features != 0.0, axis=0))
    frames = max(round(window_s * 100), int(sounding[-1]) + 1 if len(sounding) else 0)
    return np.ascontiguousarray(features[:, : frames + frames % 2])


class Whisper:
    """A model in memory. Not to be used from several threads at once."""

    def __init__(self, card: ModelCard, threads: int = 1, *, live: bool = False) -> None:
        self.card = card
        self._live = live
        self._window_s = card.window_s
        self._last: tuple[NDArray[np.float32], Any] | None = None
        self._model = faster_whisper().WhisperModel(
            str(card.path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._encode = self._model.encode
        self._model.encode = self._encoded

    @property
    def longest_s(self) -> float:
        return self.card.longest_s

    def hear(self, sound: NDArray[np.float32], languages: Sequence[str], *, marks: bool = False) -> Hearing:
        """The words in at most half a minute. Raises `LanguageUnknown` when the model knows none of the languages.

        Only what the first look at the piece gave is kept: the library looks again at what is left after the last
        word, and invents there.
        """
        known = [language for language in languages if language in self.card.languages]
        if not known:
            self.card.require(languages[0])
        length_s = len(sound) / RATE
        self._window_s, self._last = self.card.window_s, None
        found, told = self._model.transcribe(sound, **options(None, live=self._live, marks=marks))
        guesses = dict(told.all_language_probs or ())
        language = choose(guesses, known, length_s)
        likely = max(guesses, key=lambda name: guesses[name], default="")
        if language is None:
            return Hearing((), None, likely, round(guesses.get(likely, 0.0), 4))
        if language != told.language:
            found, _ = self._model.transcribe(sound, **options(language, live=self._live, marks=marks))
        words = [] if self._live else _timed(found, length_s)
        if not words:
            words = self._without_times(sound, language)
        return Hearing(tuple(words), language, likely or language, round(guesses.get(likely, 1.0), 4))

    def sketch(self, sound: NDArray[np.float32], language: str) -> list[str]:
        """What has been said so far, quickly and roughly: for the text that is shown while somebody still speaks.

        The encoder is given hardly more than the sound, which makes some models go round in circles: then it is nothing.
        """
        self._window_s, self._last = min(self.card.window_s, len(sound) / RATE + LIVE_ROOM_S), None
        found, _ = self._model.transcribe(sound, **options(language, live=True))
        words = [word for segment in found if segment.seek == 0 for word in segment.text.split()]
        return [] if circles(words) else words

    def _without_times(self, sound: NDArray[np.float32], language: str) -> list[Word]:
        """The library drops a text whose word times fall together, as short answers' do: then its words share the piece."""
        asked = options(language, live=self._live) | {"word_timestamps": False}
        found, _ = self._model.transcribe(sound, **asked)
        heard = [(word, segment) for segment in found if segment.seek == 0 for word in segment.text.split()]
        each = len(sound) / RATE / max(1, len(heard))
        return [
            Word(k * each, (k + 1) * each, word, round(math.exp(segment.avg_logprob), 4), timed=False)
            for k, (word, segment) in enumerate(heard)
        ]

    def _encoded(self, features: NDArray[np.float32]) -> Any:
        """The encoder's answer, which is asked for twice or three times a piece: for language, words, and times."""
        if self._window_s < WHOLE_S:
            features = in_window(features, self._window_s)
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = (features, self._encode(features))
        return self._last[1]


def circles(words: Sequence[str], times: int = 4) -> bool:
    """Whether one to four words come `times` times on end."""
    for size in range(1, 5):
        for start in range(len(words) - size * times + 1):
            if len({tuple(words[start + k * size : start + (k + 1) * size]) for k in range(times)}) == 1:
                return True
    return False


def _timed(segments: Iterable[Any], length_s: float) -> list[Word]:
    words: list[Word] = []
    for segment in segments:
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
    return words
