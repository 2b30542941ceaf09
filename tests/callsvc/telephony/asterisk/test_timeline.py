"""When what carries no time was spoken."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from callsvc.telephony.asterisk.timeline import Timeline

pytestmark = pytest.mark.call

FRAME_S = 0.020


def run(times: Iterable[float]) -> tuple[Timeline, list[float]]:
    timeline = Timeline()
    return timeline, [timeline.missing(now, FRAME_S) for now in times]


def test_what_comes_in_time_follows_what_came_before() -> None:
    chance = random.Random(1)
    _, missing = run(index * FRAME_S + chance.uniform(0.0, 0.018) for index in range(3000))
    assert sum(missing) == 0


def test_what_waited_and_comes_at_once_is_only_late() -> None:
    steady = [index * FRAME_S for index in range(200)]
    _, missing = run([max(now, 3.4) if now > 3.0 else now for now in steady])
    assert sum(missing) == 0


def test_what_asterisk_holds_back_as_a_call_begins_is_missing_at_once() -> None:
    # As a real one did: two frames, then its buffer was put in between, and everything came 55 ms later.
    times = [0.018, 0.039, *(0.114 + index * FRAME_S for index in range(100))]
    _, missing = run(times)
    assert missing[2] == pytest.approx(0.055, abs=0.002)
    assert sum(missing) == missing[2]


def test_frames_that_were_left_out_unsaid_are_missed_before_they_are_waited_for() -> None:
    times = [index * FRAME_S for index in range(400) if index not in (100, 101, 200, 201)]
    _, missing = run(times)
    assert sum(missing) == pytest.approx(4 * FRAME_S)
    assert sum(missing[:115]) == pytest.approx(2 * FRAME_S)


def test_a_clock_that_runs_slower_than_ours_misses_nothing() -> None:
    _, missing = run(index * FRAME_S * 1.0002 for index in range(20_000))
    assert sum(missing) == 0


def test_a_pause_that_is_known_is_not_missed_again() -> None:
    timeline, _ = run(index * FRAME_S for index in range(100))
    timeline.leave_out(5.0)
    later = [timeline.missing(2.0 + 5.0 + index * FRAME_S, FRAME_S) for index in range(100)]
    assert sum(later) == 0
