"""A tap takes what fits, drops what does not, and always keeps the clock."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.taps import GapCause
from callsvc.recordings.tap import Item, RingTap
from callsvc.recordings.timeline import Piece, Timeline

pytestmark = pytest.mark.evidence

FRAME = np.arange(160, dtype=np.int16)


def pieces(timeline: Timeline) -> list[tuple[int, int, str]]:
    return [(p.start, p.length, str(p.cause or "sound")) for p in timeline.drain()]


def through(tap: RingTap, rate: int = 8000) -> Timeline:
    timeline = Timeline(rate)
    for item in tap.take():
        timeline.add(item)
    return timeline


def test_what_finds_the_ring_full_becomes_a_gap_with_the_cause_recorder() -> None:
    tap = RingTap(capacity_samples=480)
    for n in range(6):
        tap.write(n * 160, FRAME)
    assert tap.dropped_samples == 480
    timeline = through(tap)
    tap.settle(480)
    tap.write(6 * 160, FRAME)
    for item in tap.take():
        timeline.add(item)
    assert pieces(timeline) == [(0, 480, "sound"), (480, 480, "recorder"), (960, 160, "sound")]


def test_a_drop_at_the_very_end_is_still_known_when_the_call_is_over() -> None:
    tap = RingTap(capacity_samples=160)
    tap.write(0, FRAME)
    tap.write(160, FRAME)
    tap.gap(320, 160, GapCause.LOSS)
    assert tap.last_drop() == (160, 480)


def test_a_flood_of_gaps_is_bounded_too() -> None:
    tap = RingTap(capacity_samples=8000)
    for n in range(10_000):
        tap.gap(n, 1, GapCause.LOSS)
    assert len(tap.take()) <= 100


def test_a_tap_takes_empty_sound_and_negative_lengths_without_a_word() -> None:
    tap = RingTap(capacity_samples=8000)
    tap.write(0, FRAME[:0])
    tap.gap(0, 0, GapCause.LOSS)
    tap.gap(0, -5, GapCause.LOSS)
    assert tap.take() == []


def test_a_writer_and_a_taker_at_once_lose_nothing() -> None:
    tap = RingTap(capacity_samples=1 << 30)
    timeline = Timeline(8000)
    done = threading.Event()

    def write() -> None:
        for n in range(5000):
            tap.write(n * 160, FRAME)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        for item in tap.take():
            timeline.add(item)
    writer.join()
    for item in tap.take():
        timeline.add(item)
    assert timeline.end == 5000 * 160
    assert sum(p.length for p in timeline.drain() if p.samples is not None) == 5000 * 160


def test_a_stretch_that_nobody_told_of_is_a_gap() -> None:
    timeline = Timeline(8000)
    timeline.add(Item(0, 160, FRAME, None))
    timeline.add(Item(480, 160, FRAME, None))
    assert pieces(timeline) == [(0, 160, "sound"), (160, 320, "loss"), (480, 160, "sound")]


def test_what_comes_twice_or_late_is_taken_once_and_counted() -> None:
    timeline = Timeline(8000)
    timeline.add(Item(0, 160, FRAME, None))
    timeline.add(Item(80, 160, FRAME[::-1], None))
    timeline.add(Item(0, 160, FRAME, None))
    (piece,) = timeline.drain()
    assert piece.samples is not None
    assert list(piece.samples) == [*FRAME, *FRAME[::-1][80:]]
    assert timeline.late_samples == 80 + 160


def test_no_piece_of_sound_is_longer_than_a_second() -> None:
    timeline = Timeline(8000)
    timeline.add(Item(0, 20_000, np.zeros(20_000, dtype=np.int16), None))
    assert pieces(timeline) == [(0, 8000, "sound"), (8000, 8000, "sound"), (16_000, 4000, "sound")]


items = st.builds(
    lambda start, length, cause: Item(
        start, length, None if cause else np.full(length, start % 100, dtype=np.int16), cause
    ),
    st.integers(0, 5000),
    st.integers(1, 2000),
    st.sampled_from([None, GapCause.LOSS, GapCause.MASK]),
)


@given(st.lists(items, max_size=30), st.integers(0, 9000))
def test_whatever_a_tap_is_told_the_pieces_follow_each_other_without_a_hole(
    told: list[Item], end: int
) -> None:
    timeline = Timeline(1000)
    found: list[Piece] = []
    for n, item in enumerate(told):
        timeline.add(item)
        if n % 3 == 0:
            found += timeline.drain()
    timeline.extend(end, GapCause.ABSENT)
    found += timeline.drain()
    at = 0
    for piece in found:
        assert piece.start == at
        assert piece.length > 0
        assert (piece.samples is None) != (piece.cause is None)
        assert piece.samples is None or len(piece.samples) == piece.length
        at += piece.length
    assert at == timeline.end == max([end, *(i.start + i.length for i in told)])
