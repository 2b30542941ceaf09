"""What every sound system offers: devices by name, sound out of one and into another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audio.errors import AudioError

Float = NDArray[np.float32]


class DeviceGone(AudioError):
    """The sound device is not there, or is there no longer; plug it in again or name another."""


@dataclass(frozen=True)
class Device:
    """A microphone or a loudspeaker."""

    id: str
    """What the sound system calls it; stays the same while it is plugged in."""
    name: str
    """What a person calls it."""
    records: bool
    plays: bool
    default: bool


class Capture(Protocol):
    """An open microphone."""

    rate_hz: int

    @property
    def lost(self) -> int:
        """Times that sound was lost because nobody took it soon enough: here, or as the sound system says."""

    def read(self, timeout_s: float) -> Float | None:
        """The next mono samples, a few milliseconds of them; None when none came in time. Raises DeviceGone."""

    def close(self) -> None:
        """Let go of the device."""


class Playback(Protocol):
    """An open loudspeaker, or a virtual cable."""

    rate_hz: int

    @property
    def dry(self) -> int:
        """Times that the device wanted sound after some had come, and there was none, or not soon enough."""

    def write(self, samples: Float) -> int:
        """Hand over mono samples without waiting; gives how many were taken. Raises DeviceGone."""

    def unfit(self, ahead_s: float) -> bool:
        """Whether it would have to be opened anew to make use of so much sound ahead, or to do with so little."""

    @property
    def waiting(self) -> int:
        """Samples handed over and not yet taken by the device."""

    def close(self) -> None:
        """Let go of the device."""


class Host(Protocol):
    """A sound system."""

    name: str

    def devices(self) -> list[Device]:
        """All microphones and loudspeakers. Raises DeviceGone when the sound system itself is away."""

    def capture(self, device: Device) -> Capture:
        """Open a microphone. Raises DeviceGone."""

    def playback(self, device: Device, ahead_s: float) -> Playback:
        """Open a loudspeaker that is to have so much sound ahead. Raises DeviceGone."""
