"""How long a call is kept: the last day of each rule, and the cutoff that says the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from callsvc.retention.rules import Rule, read, rules
from callsvc.types import Profile

pytestmark = pytest.mark.evidence


def rule(**given: object) -> Rule:
    told = {"id": "some", "sv": "x", "en": "x", "basis": "lag", "after": "call"} | given
    return Rule.model_validate(told)


@pytest.mark.parametrize(
    ("given", "since", "last"),
    [
        # Command-centre data: at most one year after the end of the calendar year (4 kap. 10 §).
        ({"year_end": True, "years": 1}, date(2026, 3, 2), date(2027, 12, 31)),
        ({"year_end": True, "years": 1}, date(2026, 12, 31), date(2027, 12, 31)),
        ({"year_end": True, "years": 1}, date(2027, 1, 1), date(2028, 12, 31)),
        # Investigations: five years after the end of the year in which they were closed (4 kap. 4 §).
        ({"year_end": True, "years": 5}, date(2026, 3, 2), date(2031, 12, 31)),
        ({"years": 1}, date(2026, 3, 2), date(2027, 3, 2)),
        ({"years": 1}, date(2024, 2, 29), date(2025, 2, 28)),
        ({"days": 30}, date(2026, 2, 10), date(2026, 3, 12)),
    ],
)
def test_the_last_day_of_a_rule(given: dict[str, object], since: date, last: date) -> None:
    found = rule(**given)
    assert found.last_day(since) == last
    # On its last day a call is still there; in the night after it, it goes.
    assert since >= found.cutoff(last)
    assert since < found.cutoff(last + timedelta(days=1))


DAYS = st.dates(date(1995, 1, 1), date(2060, 12, 31))


@given(st.booleans(), st.integers(0, 8), st.integers(1, 800), DAYS, DAYS)
def test_the_cutoff_says_of_every_day_what_the_last_day_says(
    year_end: bool, years: int, days: int, since: date, night: date
) -> None:
    found = rule(year_end=year_end, years=years, days=days)
    assert (since < found.cutoff(night)) == (found.last_day(since) < night)


def test_the_rules_that_come_with_the_service_speak_of_every_line() -> None:
    found = rules.read(rules.packaged())
    assert {profile for one in found.rule if "none" in one.cases for profile in one.profiles} == set(Profile)
    assert all(one.basis for one in found.rule)
    by_id = {one.id: one for one in found.rule}
    assert by_id["investigation"].last_day(date(2026, 5, 1)) == date(2031, 12, 31)
    assert by_id["command_centre"].last_day(date(2026, 5, 1)) == date(2027, 12, 31)
    # A moment belongs to the day that people here call it, whatever the time of day in UTC.
    assert found.midnight(date(2026, 1, 1)).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("days = 30\n", "days = 0\n", "keeps nothing"),
        (
            'cases = ["open", "closed"]\nafter',
            'cases = ["none", "closed"]\nafter',
            "has no case that is closed",
        ),
        ('id = "anonymous"', 'id = "report"', "stands twice"),
        ('zone = "Europe/Stockholm"', 'zone = "Europe/Atlantis"', "no such time zone"),
        ("years = 5", "years = -5", "greater than or equal to 0"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(before: str, after: str, fault: str) -> None:
    text = rules.packaged()
    assert before in text
    with pytest.raises(ValidationError, match=fault):
        read(text.replace(before, after, 1))
