"""Each stroke of a stretch: found at the microphone, and measured at the same instant in what the caller heard."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor import RATE, Network, Suppressor
from audio.taps import Samples
from callsvc.demo import composition, sound
from callsvc.review import strokes
from callsvc.types import Track
from models.suppressor import load
from tests.callsvc.review.test_exposure import Info

pytestmark = pytest.mark.screens


class Kept:
    """A recording of the operator's two tracks."""

    def __init__(self, raw: Samples, heard: Samples, rate: int = RATE) -> None:
        self._sounds = {Track.OPERATOR_RX: raw, Track.OPERATOR_TX: heard}
        self.tracks = {str(name): Info(rate, len(one)) for name, one in self._sounds.items()}

    def read(self, track: str, start: int, n: int) -> Samples:
        out = np.zeros(n, np.int16)
        there = self._sounds[Track(track)]
        first, last = max(0, start), min(len(there), start + n)
        if first < last:
            out[first - start : last - start] = there[first:last]
        return out


@pytest.fixture(scope="module")
def network() -> Network:
    return load()


@pytest.fixture(scope="module")
def scene() -> tuple[Samples, list[float]]:
    """The operator of the demonstration, typing and speaking; and where the keys were struck."""
    made = composition.compose().cut(14)
    raw = (32767 * np.clip(sound.resample(made.operator, composition.RATE, RATE), -1, 1)).astype(np.int16)
    return raw, list(made.strokes_s)


def quietened(network: Network, raw: Samples) -> Samples:
    heard: Samples = (32767 * np.clip(Suppressor(network, comfort=True).process(raw), -1, 1)).astype(np.int16)
    return heard


@pytest.fixture(scope="module")
def quiet(network: Network, scene: tuple[Samples, list[float]]) -> list[strokes.Heard]:
    """What is found in a call whose typing was taken out."""
    raw, _ = scene
    return strokes.strokes(network, Kept(raw, quietened(network, raw)), 0)


def test_the_strokes_that_were_struck_are_found_where_they_were(
    quiet: list[strokes.Heard], scene: tuple[Samples, list[float]]
) -> None:
    _, struck = scene
    near = [min(abs(one.at_ms / 1000 - at) for at in struck) for one in quiet]
    assert len(quiet) >= 0.7 * len(struck)
    assert np.mean([away < 0.05 for away in near]) >= 0.9


def test_what_the_caller_is_left_with_is_measured_in_their_own_sound(
    quiet: list[strokes.Heard], network: Network, scene: tuple[Samples, list[float]]
) -> None:
    raw, _ = scene
    judged = [one for one in quiet if not one.spoken]
    assert len(judged) >= 10
    assert np.mean([one.audible_before for one in judged]) >= 0.8
    assert np.mean([one.audible_after for one in judged]) <= 0.3
    assert np.median([one.before_db - one.after_db for one in judged]) >= 12
    # Where nothing was taken out, each is left as it was: the figure is not the suppressor's own word for it.
    left = strokes.strokes(network, Kept(raw, raw), 0)
    assert [one.after_db for one in left] == [one.before_db for one in left]
    assert [one.audible_after for one in left if not one.spoken] == [
        one.audible_before for one in left if not one.spoken
    ]


def test_a_window_tells_its_own_strokes_on_the_calls_clock(
    network: Network, scene: tuple[Samples, list[float]]
) -> None:
    raw, _ = scene
    late = np.concatenate([np.zeros(32 * RATE, np.int16), raw])
    found = strokes.strokes(network, Kept(late, late), 37)
    assert found
    assert all(37_000 <= one.at_ms < 46_100 for one in found)


def test_without_the_raw_microphone_there_is_nothing_to_find_them_in(
    scene: tuple[Samples, list[float]],
) -> None:
    raw, _ = scene
    both = Kept(raw, raw)
    assert strokes.can_look(both)
    del both.tracks[str(Track.OPERATOR_RX)]
    assert not strokes.can_look(both)
    assert not strokes.can_look(Kept(raw, raw, rate=8000))
