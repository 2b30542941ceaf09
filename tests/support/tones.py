"""Telephones that each say a tone of their own, and which tones they hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audio import files
from tests.support.sip import Baresip

RATE = 8000
SAID_S = 90
HZ = {"music": 440, "caller": 600, "operator": 1300, "third": 2100}


def phone(folder: Path, name: str, *, answers: bool = True, port: int = 0) -> Baresip:
    """A telephone that says its own tone."""
    say = folder / f"{name}.wav"
    tone = 0.3 * np.sin(2 * np.pi * HZ[name] * np.arange(SAID_S * RATE) / RATE)
    with files.WavWriter(say, RATE) as file:
        file.write((tone * 32767).astype(np.int16))
    return Baresip(folder, name, say, answers=answers, port=port)


def level(phone: Baresip, who: str, seconds: float = 0.4) -> float:
    """How much of somebody's tone there is in the last sound that was heard: 0 to 1."""
    heard = phone.heard()
    if not heard:
        return 0.0
    data = heard[-1].read_bytes()[44:]
    sound = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(float)[-int(seconds * RATE) :]
    if len(sound) < seconds * RATE:
        return 0.0
    wave = np.exp(-2j * np.pi * HZ[who] * np.arange(len(sound)) / RATE)
    return float(2 * abs(np.dot(sound, wave)) / len(sound) / 32768 / 0.3)


def hears(phone: Baresip, who: str) -> bool:
    """Whether the tone is what was heard last."""
    return level(phone, who) > 0.5


class Anew:
    """What a telephone hears from now on, where what it heard before must not be taken for it."""

    def __init__(self, phone: Baresip) -> None:
        self._phone = phone
        self._before = len(phone.heard()), self._size

    @property
    def _size(self) -> int:
        heard = self._phone.heard()
        return heard[-1].stat().st_size if heard else 0

    def hears(self, who: str) -> bool:
        """Whether this tone has come since, long enough to be judged."""
        files_, size = self._before
        grown = self._size - (size if len(self._phone.heard()) == files_ else 0)
        return grown > RATE and hears(self._phone, who)
