"""What is kept ahead of the cable: more with each gap, up to a limit, and less again in time."""

from __future__ import annotations

import pytest

from callsvc.desk.cushion import CALM_S, LEAST_S, MOST_S, STEP_S, Cushion

pytestmark = pytest.mark.quiet


def test_each_gap_buys_a_step_and_never_more_than_the_limit() -> None:
    cushion = Cushion(0.0)
    cushion.ran_dry(1.0)
    assert cushion.target_s == pytest.approx(LEAST_S + STEP_S)
    for n in range(100):
        cushion.ran_dry(2.0 + n)
    assert cushion.target_s == MOST_S
    assert cushion.grown == round((MOST_S - LEAST_S) / STEP_S), "at the limit nothing grows"


def test_calm_gives_back_a_step_at_a_time_down_to_what_it_began_with() -> None:
    cushion = Cushion(0.0)
    for _ in range(3):
        cushion.ran_dry(10.0)
    cushion.look(10.0 + CALM_S - 0.1)
    assert cushion.shrunk == 0
    for n in range(1, 9):
        cushion.look(10.0 + n * CALM_S)
    assert cushion.target_s == pytest.approx(LEAST_S)
    assert cushion.grown == cushion.shrunk == 3


def test_another_gap_makes_calm_begin_anew() -> None:
    cushion = Cushion(0.0)
    cushion.ran_dry(0.0)
    cushion.ran_dry(CALM_S - 1)
    cushion.look(CALM_S + 1)
    assert cushion.shrunk == 0
    cushion.look(2 * CALM_S)
    assert cushion.shrunk == 1
