"""What is asked of a recording here: its tracks, and any stretch of one. callsvc.recordings gives such a thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from audio.taps import Samples


class Track(Protocol):
    @property
    def rate_hz(self) -> int: ...

    @property
    def samples(self) -> int: ...


class Source(Protocol):
    @property
    def tracks(self) -> Mapping[str, Track]: ...

    def read(self, track: str, start: int, n: int) -> Samples: ...


def stretch(source: Source, track: str, from_s: float, seconds: float) -> Samples:
    """A stretch of a track, silent before its beginning and beyond its end."""
    rate = source.tracks[track].rate_hz
    start, n = round(from_s * rate), round(seconds * rate)
    return source.read(track, start, n)


def length_s(source: Source) -> float:
    """Seconds of the longest track."""
    return max((track.samples / track.rate_hz for track in source.tracks.values()), default=0.0)
