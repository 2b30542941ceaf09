"""Codes of an authenticator are those of RFC 6238, good for a moment, and good once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from callsvc.access import totp
from callsvc.access.second_factor import Cipher
from callsvc.errors import Conflict

pytestmark = pytest.mark.call

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code(SECRET, totp.step_of(at)) == code
    assert totp.matching(SECRET, f"{code[:3]} {code[3:]}", at=at, after=0) == seconds // 30


def test_a_code_is_good_for_a_clock_that_is_a_little_off_and_no_more() -> None:
    at = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
    code = totp.code(SECRET, totp.step_of(at))
    for off, good in ((-30, True), (30, True), (-60, False), (60, False)):
        found = totp.matching(SECRET, code, at=at + timedelta(seconds=off), after=0)
        assert (found is not None) is good, off


def test_a_code_is_good_once_and_nothing_else_is() -> None:
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    step = totp.step_of(at)
    code = totp.code(SECRET, step)
    assert totp.matching(SECRET, code, at=at, after=step) is None
    for wrong in ("", "abcdef", code[:5], f"{code}0", "å" * 6):
        assert totp.matching(SECRET, wrong, at=at, after=0) is None


def test_a_kept_secret_opens_for_its_person_on_its_installation_alone() -> None:
    mine, other = Cipher(bytes(32)), Cipher(bytes(31) + b"x")
    anna, omar = uuid4(), uuid4()
    sealed = mine.seal(SECRET, anna)
    assert SECRET not in sealed
    assert mine.open(sealed, anna) == SECRET
    for cipher, person in ((mine, omar), (other, anna)):
        with pytest.raises(Conflict):
            cipher.open(sealed, person)
