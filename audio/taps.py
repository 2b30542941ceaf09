"""Where sound is listened to on its way: taps, and the gaps they are told of.

A tap gets every sample of one track exactly once, either as sound (`write`) or as a hole (`gap`),
in order, on the track's own clock. It never blocks and never raises: a tap that cannot keep up
drops, and writes the drop down as a gap of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""Mono sound, one int16 a sample."""


class GapCause(StrEnum):
    """Why a stretch of a track holds no sound."""

    LOSS = "loss"
    """The packets never came, or came too late to be played."""
    SILENCE = "silence"
    """The sender chose to send nothing (DTX, comfort noise): nothing is missing."""
    ABSENT = "absent"
    """The party was not connected."""
    HOLD = "hold"
    MASK = "mask"
    MUTE = "mute"
    RECORDER = "recorder"
    """The recorder could not keep up, or could not write, and dropped this."""
    FAILURE = "failure"
    """The node died before this was safe on disk."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in a track: where, how long and why, in samples of that track."""

    start: int
    length: int
    cause: GapCause

    @property
    def end(self) -> int:
        """The first sample behind it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Track:
    """A track as a recorder sees it: `caller.rx`, `operator.rx` or `operator.tx`, and its rate."""

    name: str
    rate_hz: int


class Tap(Protocol):
    """One track's listener. Called from the media loop: never blocks, never raises."""

    def write(self, start: int, samples: Samples) -> None:
        """Take sound that begins at sample `start`; the array is the tap's to keep."""

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        """Take note that these samples do not exist."""


class CallTaps(Protocol):
    """What listens to one call."""

    def tap(self, track: str) -> Tap:
        """The tap of one of the tracks that were named at opening."""

    def close(self, lengths: Mapping[str, int], cause: str) -> None:
        """The call is over: every track is this long, in its own samples. Returns at once."""


class TapFactory(Protocol):
    """Opens what listens to a call, when the call starts. May refuse by raising an `OSError`
    (disk full): the call then goes on without, and is shown as degraded."""

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> CallTaps:
        """Taps for these tracks of a call on a line of this profile."""


def tell_masked(tap: Tap, start: int, samples: Samples) -> None:
    """Hand sound of a masked stretch to a tap that keeps such sound apart; to any other it is a hole."""
    keep = getattr(tap, "masked", None)
    if keep is None:
        tap.gap(start, len(samples), GapCause.MASK)
    else:
        keep(start, samples)


class Continuous:
    """Stands before a tap and sees to it that every sample comes exactly once and in order.

    What is left out becomes a gap of the cause `otherwise`; what came before is not told again.
    """

    def __init__(self, tap: Tap, otherwise: GapCause = GapCause.LOSS) -> None:
        self._tap = tap
        self._otherwise = otherwise
        self.position = 0
        """Samples told so far: the length of the track."""

    def write(self, start: int, samples: Samples) -> None:
        """Take sound for any place; a part that lies before `position` is dropped."""
        self._tell(start, samples, self._tap.write)

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        """Take note of a hole at any place; a part that lies before `position` is dropped."""
        end = start + length
        start = max(start, self.position)
        if end <= start:
            return
        self._fill(start)
        self.position = end
        self._tap.gap(start, end - start, cause)

    def masked(self, start: int, samples: Samples) -> None:
        """Sound of a masked stretch: a hole to all but a tap that keeps such sound apart (`masked`)."""
        self._tell(start, samples, partial(tell_masked, self._tap))

    def extend(self, length: int, cause: GapCause) -> None:
        """Make the track this long."""
        self.gap(self.position, length - self.position, cause)

    def _tell(self, start: int, samples: Samples, how: Callable[[int, Samples], None]) -> None:
        known = self.position - start
        if known > 0:
            samples, start = samples[known:], self.position
        if len(samples) == 0:
            return
        self._fill(start)
        self.position = start + len(samples)
        how(start, samples)

    def _fill(self, start: int) -> None:
        if start > self.position:
            # Before the first sound the party had sent nothing yet.
            cause = self._otherwise if self.position else GapCause.ABSENT
            self._tap.gap(self.position, start - self.position, cause)
            self.position = start
