"""All tracks as one sound: any stretch is a slice of the whole, and what is raised to a higher rate stays itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.taps import Samples
from callsvc.recordings.wav import HEADER_BYTES
from callsvc.web.playback import Playback, Rise

pytestmark = pytest.mark.screens


@dataclass(frozen=True)
class Track:
    rate_hz: int
    samples: int


class Tones:
    """A recording with a tone of its own on every track."""

    def __init__(self, **tracks: tuple[int, int, float]) -> None:
        self.tracks = {name: Track(rate, samples) for name, (rate, samples, _) in tracks.items()}
        self._tones = {name: tone for name, (_, _, tone) in tracks.items()}

    def read(self, track: str, start: int, n: int) -> Samples:
        assert start >= 0
        at = np.arange(start, start + n)
        rate = self.tracks[track].rate_hz
        heard = 12000 * np.sin(2 * np.pi * self._tones[track] * at / rate)
        samples: Samples = np.where(at < self.tracks[track].samples, heard, 0).round().astype(np.int16)
        return samples


SOURCE = Tones(caller=(8000, 2000, 440.0), operator=(16000, 4000, 1000.0), wide=(48000, 11000, 3000.0))
PLAYBACK = Playback(SOURCE, ["caller", "operator", "wide"])
WHOLE = PLAYBACK.read(0, PLAYBACK.size)


def test_the_whole_is_as_long_as_the_longest_track_at_the_highest_rate() -> None:
    assert (PLAYBACK.rate_hz, PLAYBACK.samples) == (48000, 12000)
    assert len(WHOLE) == PLAYBACK.size == HEADER_BYTES + 12000 * 3 * 2


@given(st.integers(0, PLAYBACK.size + 10), st.integers(0, 3000))
@settings(max_examples=200, deadline=None)
def test_any_stretch_is_a_slice_of_the_whole(offset: int, n: int) -> None:
    assert PLAYBACK.read(offset, n) == WHOLE[offset : offset + n]


@given(st.integers(0, PLAYBACK.size - 1))
@settings(max_examples=20, deadline=None)
def test_the_chunks_of_a_stretch_make_up_the_stretch(offset: int) -> None:
    assert b"".join(PLAYBACK.chunks(offset, PLAYBACK.size)) == WHOLE[offset:]


@pytest.mark.parametrize("tone", [100.0, 440.0, 1000.0, 3000.0])
@pytest.mark.parametrize(("low", "high"), [(8000, 16000), (8000, 48000), (16000, 48000), (44100, 48000)])
def test_a_tone_that_is_raised_to_a_higher_rate_stays_the_same_tone(low: int, high: int, tone: float) -> None:
    rise = Rise(low, high)
    first, count = rise.reach(high // 10, high // 10)
    heard = 12000 * np.sin(2 * np.pi * tone * np.arange(first, first + count) / low)
    risen = rise.at(high // 10, high // 10, heard.round().astype(np.int16)).astype(float)
    expected = 12000 * np.sin(2 * np.pi * tone * np.arange(high // 10, high // 5) / high)
    noise = np.sqrt(np.mean((risen - expected) ** 2)) / np.sqrt(np.mean(expected**2))
    assert noise < 0.002  # below -54 dB
