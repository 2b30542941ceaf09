"""The draw: it follows from the call's id alone, takes the share that the rule says, and can be worked out again."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from callsvc.review import rules, sampling
from callsvc.types import Profile

pytestmark = pytest.mark.screens

RULES = rules.read(
    """
version = "7"
calibrated_pct = 25
[[rule]]
id = "random"
sv = "s"
en = "e"
share_pct = 2
figures = true
[[rule]]
id = "interviews"
sv = "s"
en = "e"
share_pct = 50
profiles = ["interview"]
[[rule]]
id = "degraded"
sv = "s"
en = "e"
share_pct = 100
degraded = true
"""
)


def calls(n: int) -> list[UUID]:
    drawn = random.Random(11)
    return [UUID(int=drawn.getrandbits(128), version=4) for _ in range(n)]


def test_two_in_a_hundred_are_drawn_and_the_same_ones_again() -> None:
    ids = calls(20_000)
    drawn = [one for one in ids if sampling.drawn_by(rules.rules(), one, Profile.REPORT, degraded=False)]
    assert 0.017 <= len(drawn) / len(ids) <= 0.023
    again = [
        one for one in reversed(ids) if sampling.drawn_by(rules.rules(), one, Profile.REPORT, degraded=False)
    ]
    assert drawn == again[::-1]


def test_every_call_that_was_degraded_is_drawn_and_those_of_the_random_sample_are_still_the_samples() -> None:
    told = [sampling.drawn_by(rules.rules(), one, Profile.EMERGENCY, degraded=True) for one in calls(5_000)]
    names = [one.id if one else None for one in told]
    assert None not in names
    assert 0.012 <= names.count("random") / len(names) <= 0.028


def test_the_draw_of_one_rule_says_nothing_about_another() -> None:
    ids = calls(20_000)
    first = {one for one in ids if sampling.place(one, "random") < 0.5}
    both = [one for one in first if sampling.place(one, "interviews") < 0.5]
    assert 0.47 <= len(both) / len(first) <= 0.53


def test_a_rule_draws_on_its_own_lines_alone() -> None:
    drawn = {sampling.drawn_by(RULES, one, Profile.EMERGENCY, degraded=False) for one in calls(2_000)}
    assert {rule and rule.id for rule in drawn} == {None, "random"}
    some = {sampling.drawn_by(RULES, one, Profile.INTERVIEW, degraded=False) for one in calls(200)}
    assert "interviews" in {rule.id for rule in some if rule}


def test_a_known_call_lies_where_it_always_lay() -> None:
    # A change of the arithmetic would draw other calls than the log says: this figure may never change.
    assert sampling.place(UUID("6f1c5a0e-0000-4000-8000-000000000001"), "random") == pytest.approx(
        0x45193E2465E8703B / 2**64
    )


def test_some_are_answered_for_twice() -> None:
    two = sum(sampling.seats(RULES, one) == 2 for one in calls(4_000))
    assert 0.22 <= two / 4_000 <= 0.28


@pytest.mark.parametrize("wrong", ["share_pct = 101", "share_pct = -1", 'profiles = ["nobody"]', "extra = 1"])
def test_rules_that_make_no_sense_are_refused(wrong: str) -> None:
    good = 'version = "1"\ncalibrated_pct = 0\n[[rule]]\nid = "all"\nsv = "s"\nen = "e"\n'
    rules.read(good + "share_pct = 1")
    with pytest.raises(ValidationError):
        rules.read(good + (wrong if "share" in wrong else f"share_pct = 1\n{wrong}"))


def test_nothing_but_the_id_and_the_rule_is_looked_at(tmp_path: Path) -> None:
    call = uuid4()
    assert sampling.place(call, "random") == sampling.place(UUID(str(call)), "random")
    assert 0 <= sampling.place(call, "random") < 1
