"""Where somebody speaks: silero's detector, set so that a telephone's short answers are found.

At the library's own threshold of 0.5 most of the short answers on a telephone line are lost; at 0.25 they are found,
and typing, hum and noise still stay far below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.recogniser.library import faster_whisper
from models.recogniser.words import RATE

THRESHOLD = 0.25
MIN_SILENCE_MS = 500
PAD_MS = 300


def stretches(sound: NDArray[np.float32], longest_s: float = float("inf")) -> list[tuple[int, int]]:
    """First and last sample (exclusive) of each stretch of speech in 16 kHz sound, in order.

    A stretch that is longer than `longest_s` is cut, at a short pause where there is one.
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
    return [(int(one["start"]), min(len(sound), int(one["end"]))) for one in found]
