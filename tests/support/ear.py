"""What comes out of a telephone, from the first moment to the last: on hold, before it and after it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

RATE = 16_000


class Ear:
    """At the loudspeaker of one telephone, which is a sink of a PulseAudio server. Use as a context manager.

    What baresip itself keeps of a call ends with its first hold.
    """

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self.name = name
        """The sink's, and the ALSA device's."""
        self.environment = environment
        self._file = folder / f"{name}-ear.raw"

    def __enter__(self) -> Self:
        command = ["parec", "--raw", "--format=s16le", "--channels=1", f"--rate={RATE}", "--latency-msec=20"]
        with self._file.open("wb") as file:
            self._process = subprocess.Popen(
                [*command, f"--device={self.name}.monitor"], env=self.environment, stdout=file
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def now_s(self) -> float:
        """How much has been heard."""
        return self._file.stat().st_size / 2 / RATE

    def heard(self, since_s: float = 0.0) -> NDArray[np.float64]:
        """In +-1.0, at 16 kHz."""
        data = self._file.read_bytes()[2 * int(since_s * RATE) :]
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64) / 32768


class Mouth:
    """Before the microphone of the same telephone. Use as a context manager."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self._name = name
        self._file = folder / f"{name}-mouth.raw"
        self._environment = environment
        self._said: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._said:
            one.terminate()
            one.wait(10)

    def say(self, sound: NDArray[np.int16]) -> None:
        """Begin to say this; at 16 kHz."""
        self._file.write_bytes(sound.astype("<i2").tobytes())
        command = ["pacat", "--playback", "--raw", "--format=s16le", "--channels=1", f"--rate={RATE}"]
        words = [*command, "--latency-msec=50", f"--device={self._name}_says", str(self._file)]
        self._said.append(subprocess.Popen(words, env=self._environment))
