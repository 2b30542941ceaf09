"""What a transcript asks of a recording; whoever starts the worker gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


class RecordedTrack(Protocol):
    """Length of a track in samples of its own rate."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def samples(self) -> int: ...


class Recorded(Protocol):
    """A recording, open for reading."""

    @property
    def tracks(self) -> Mapping[str, RecordedTrack]:
        """By name."""

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        """`n` samples from `start`; what lies in a gap or past the end is silence."""


OpenRecording = Callable[[UUID], Awaitable[Recorded]]
"""Opens a call's recording wherever it lies now. Raises `NotFound` or `Unavailable`."""
