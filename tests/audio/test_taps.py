from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.marks import Marks, Run
from audio.taps import Continuous, Gap, GapCause
from tests.support.packets import Notebook

pytestmark = pytest.mark.media

pieces = st.lists(st.tuples(st.booleans(), st.integers(-300, 900), st.integers(0, 200)), max_size=30)


@given(pieces)
def test_a_tap_behind_the_guard_hears_every_sample_once_and_in_order(
    parts: list[tuple[bool, int, int]],
) -> None:
    tap = Notebook()
    track = Continuous(tap)
    for is_sound, start, length in parts:
        if is_sound:
            track.write(start, np.ones(length, np.int16))
        else:
            track.gap(start, length, GapCause.MASK)
    track.extend(1200, GapCause.ABSENT)

    assert tap.whole
    assert sum(length for _, length in tap.order) == track.position == 1200


def test_nothing_before_the_first_sound_is_absence_and_between_two_it_is_loss() -> None:
    tap = Notebook()
    track = Continuous(tap)
    track.write(100, np.ones(10, np.int16))
    track.write(150, np.ones(10, np.int16))

    assert tap.gaps == [(0, 100, GapCause.ABSENT), (110, 40, GapCause.LOSS)]


def test_sound_that_overlaps_is_told_once() -> None:
    tap = Notebook()
    track = Continuous(tap)
    track.write(0, np.arange(10, dtype=np.int16))
    track.write(5, np.arange(5, 15, dtype=np.int16))

    assert tap.sound.tolist() == list(range(15))


def test_a_gap_ends_where_the_sound_goes_on() -> None:
    assert Gap(100, 50, GapCause.HOLD).end == 150


@given(
    st.lists(st.integers(1, 500), max_size=20),
    st.integers(0, 400),
    st.lists(st.integers(1, 300), max_size=40),
)
def test_marks_come_out_as_they_went_in_after_the_latency(
    runs: list[int], latency: int, takes: list[int]
) -> None:
    marks = Marks(latency)
    position, went_in = 0, [-1] * latency
    for count in runs:
        marks.put(Run(count, position))
        went_in += range(position, position + count)
        position += count
    came_out: list[int] = []
    for count in takes:
        for run in marks.take(count):
            came_out += [-1] * run.count if run.start is None else range(run.start, run.start + run.count)

    assert came_out == went_in[: len(came_out)]
    assert len(came_out) == min(sum(takes), len(went_in))
