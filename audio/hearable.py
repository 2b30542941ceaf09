"""What is asked of a recording by whoever reads its sound: its tracks, and any stretch of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from audio.taps import Samples


class Track(Protocol):
    """What is asked of a track: its rate and its length."""

    @property
    def rate_hz(self) -> int:
        """Samples a second."""

    @property
    def samples(self) -> int:
        """How long it is, at its own rate; gaps included."""


T_co = TypeVar("T_co", bound=Track, covariant=True)


class Hearable(Protocol[T_co]):
    """A recording, or what stands for one."""

    @property
    def tracks(self) -> Mapping[str, T_co]:
        """By name."""

    def read(self, track: str, start: int, n: int) -> Samples:
        """As many samples of a track as were asked for, from sample `start` on; zero in gaps and beyond the end."""
