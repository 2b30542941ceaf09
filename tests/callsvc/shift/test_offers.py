"""Who is offered which call: one function of who waits and who is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsvc.shift.offers import ALONE, Free, Waiting, in_line, offers
from callsvc.types import Profile

pytestmark = pytest.mark.screens

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def caller(n: int, waited_s: float, profile: Profile = Profile.REPORT) -> Waiting:
    return Waiting(UUID(int=n), profile, NOW - timedelta(seconds=waited_s))


def operator(n: int, free_s: float) -> Free:
    return Free(UUID(int=100 + n), NOW - timedelta(seconds=free_s))


def offered(waiting: list[Waiting], free: list[Free]) -> dict[int, int]:
    return {who.int - 100: call.call.int for who, call in offers(waiting, free, NOW).items()}


def test_who_has_waited_longest_is_offered_to_who_has_been_free_longest() -> None:
    assert offered([caller(1, 3), caller(2, 9)], [operator(1, 60), operator(2, 600)]) == {2: 2, 1: 1}


def test_an_emergency_goes_before_who_has_waited_longer() -> None:
    assert offered([caller(1, 9), caller(2, 1, Profile.EMERGENCY)], [operator(1, 5)]) == {1: 2}


def test_a_call_is_offered_to_one_alone_at_first_and_to_everybody_free_after_a_while() -> None:
    both = [operator(1, 60), operator(2, 5)]
    assert offered([caller(1, ALONE.total_seconds() - 1)], both) == {1: 1}
    assert offered([caller(1, ALONE.total_seconds())], both) == {1: 1, 2: 1}


def test_nobody_is_offered_a_call_that_does_not_wait() -> None:
    assert offered([], [operator(1, 5)]) == {}
    assert offered([caller(1, 5)], []) == {}


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(Profile)), max_size=8),
    st.lists(st.integers(0, 900), max_size=8),
)
def test_the_first_in_line_is_always_offered_to_somebody(
    waits: list[tuple[int, Profile]], frees: list[int]
) -> None:
    waiting = [caller(n, waited, profile) for n, (waited, profile) in enumerate(waits, 1)]
    free = [operator(n, since) for n, since in enumerate(frees, 1)]
    found = offers(waiting, free, NOW)
    assert set(found) <= {one.person for one in free}
    assert set(found.values()) <= set(waiting)
    if waiting and free:
        assert in_line(waiting)[0] in found.values()
