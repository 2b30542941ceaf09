"""A stretch of a recording, and how long it is."""

from __future__ import annotations

from audio.hearable import Hearable, Track
from audio.taps import Samples

Source = Hearable[Track]
"""A recording as it is asked here."""


def stretch(source: Source, track: str, from_s: float, seconds: float) -> Samples:
    """A stretch of a track, silent before its beginning and beyond its end."""
    rate = source.tracks[track].rate_hz
    start, n = round(from_s * rate), round(seconds * rate)
    return source.read(track, start, n)


def length_s(source: Source) -> float:
    """Seconds of the longest track."""
    return max((track.samples / track.rate_hz for track in source.tracks.values()), default=0.0)
