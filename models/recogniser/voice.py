"""Where somebody speaks: silero's detector, set so that a telephone's short answers are found.

At the library's own threshold of 0.5 most of the short answers on a telephone line are lost; at 0.25 they are found,
and typing, hum and noise still stay far below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.recogniser.library import faster_whisper
from models.recogniser.tone import held
from models.recogniser.words import RATE

THRESHOLD = 0.25
MIN_SILENCE_MS = 500
PAD_MS = 300


def stretches(sound: NDArray[np.float32], longest_s: float = float("inf")) -> list[tuple[int, int]]:
    """First and last sample (exclusive) of each stretch of speech in 16 kHz sound, in order.

    Music that holds its notes is none, even where the detector wavers. A stretch that is longer than `longest_s` is cut, at a short pause where there is one.
    """
    if not len(sound) or not np.any(sound):
        return []
    vad = faster_whisper().vad
    options = vad.VadOptions(
        threshold=THRESHOLD,
        min_silence_duration_ms=MIN_SILENCE_MS,
        speech_pad_ms=PAD_MS,
        max_speech_duration_s=longest_s,
    )
    found = vad.get_speech_timestamps(sound, options, sampling_rate=RATE)
    placed = [(int(one["start"]), min(len(sound), int(one["end"]))) for one in found]
    return [(start, end) for start, end in placed if not is_tone(sound[start:end])]


def is_tone(sound: NDArray[np.float32]) -> bool:
    """Whether a stretch that was taken for speech is a held tone, such as music on a waiting line."""
    return held(sound, lambda doubted: Listening()(doubted))


WINDOW = 512
"""Samples that the detector looks at at once: 32 ms."""
_CONTEXT = 64


class Listening:
    """The same detector over sound that comes in piece by piece."""

    def __init__(self) -> None:
        self._session = faster_whisper().vad.get_vad_model().session
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._rest = np.zeros(0, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)

    def __call__(self, sound: NDArray[np.float32]) -> list[float]:
        """The probability of speech in each window that this sound (16 kHz) completes."""
        whole = np.concatenate([self._rest, sound])
        count = len(whole) // WINDOW
        self._rest = whole[count * WINDOW :]
        if not count:
            return []
        windows = whole[: count * WINDOW].reshape(count, WINDOW)
        before = np.vstack([self._context, windows[:-1, -_CONTEXT:]])
        self._context = windows[-1, -_CONTEXT:].copy()
        out, self._h, self._c = self._session.run(
            None, {"input": np.hstack([before, windows]).astype(np.float32), "h": self._h, "c": self._c}
        )
        return [float(one) for one in np.asarray(out).reshape(-1)]
