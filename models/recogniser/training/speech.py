"""Synthetic Swedish speech with exact times, from libespeak-ng through ctypes.

The library calls back with sound and events; word and phoneme events carry their place in milliseconds, so that
every frame has a phoneme and every word a start and an end, for nothing.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 16_000
VARIANTS = ["m1", "m3", "m7", "f2", "f4", "f5"]
"""The voices that are taught: espeak-ng's variants of its Swedish one."""
_RETRIEVAL, _PHONEME_EVENTS, _UTF8 = 1, 1, 1
_WORD, _END, _PHONEME = 1, 5, 7
_SPEED, _PITCH = 1, 3


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Spoken:
    """One sentence: sound at 16 kHz, words and phonemes with their times in seconds."""

    text: str
    sound: NDArray[np.float32]
    words: list[tuple[str, float, float]]
    phonemes: list[tuple[str, float]]


class Voice:
    """espeak-ng; one per process (the library keeps its state in globals)."""

    def __init__(self, library: str = "libespeak-ng.so.1") -> None:
        self._lib = ctypes.CDLL(library)
        self._rate = self._lib.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS)
        if self._rate <= 0:
            raise RuntimeError("espeak-ng did not start; install the package espeak-ng")
        self._blocks: list[NDArray[np.int16]] = []
        self._words: list[tuple[int, float]] = []
        self._phonemes: list[tuple[str, float]] = []
        self._end = 0.0
        self._keep = _CALLBACK(self._take)
        self._lib.espeak_SetSynthCallback(self._keep)

    def _take(self, sound: object, count: int, events: object) -> int:
        if sound and count > 0:
            self._blocks.append(np.ctypeslib.as_array(sound, shape=(count,)).copy())
        k = 0
        while events[k].type != 0:  # type: ignore[index]
            event = events[k]  # type: ignore[index]
            at = event.audio_position / 1000.0
            if event.type == _WORD:
                self._words.append((event.text_position - 1, at))
            elif event.type == _PHONEME:
                self._phonemes.append((event.id.string.decode("utf-8", "ignore"), at))
            elif event.type == _END:
                self._end = at
            k += 1
        return 0

    def say(self, text: str, variant: str, words_per_minute: int, pitch: int) -> Spoken:
        """Speak `text` with a voice variant such as `f2`."""
        self._blocks, self._words, self._phonemes, self._end = [], [], [], 0.0
        self._lib.espeak_SetVoiceByName(f"sv+{variant}".encode())
        self._lib.espeak_SetParameter(_SPEED, words_per_minute, 0)
        self._lib.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.encode()
        self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        self._lib.espeak_Synchronize()
        raw = np.concatenate(self._blocks).astype(np.float32) / 32768.0
        sound = soxr.resample(raw, self._rate, RATE).astype(np.float32)
        return Spoken(text, sound, self._timed(text, len(sound) / RATE), list(self._phonemes))

    def _timed(self, text: str, length_s: float) -> list[tuple[str, float, float]]:
        """Each word's start from the event at its place (or, for a word run into the one before, shared out)."""
        places, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            places.append((word, at))
            at += len(word)
        known = dict(reversed([(place, when) for place, when in self._words]))
        starts: list[float | None] = [known.get(place) for _, place in places]
        end = self._phonemes[-1][1] if self._phonemes else length_s
        filled = [*starts, end]
        for k, start in enumerate(filled):
            if start is None:
                later = next(j for j in range(k, len(filled)) if filled[j] is not None)
                before = filled[k - 1] if k else 0.0
                assert before is not None
                after = filled[later]
                assert after is not None
                filled[k] = before + (after - before) / (later - k + 1)
        times = [t for t in filled if t is not None]
        return [(word, times[k], max(times[k] + 0.02, times[k + 1])) for k, (word, _) in enumerate(places)]
