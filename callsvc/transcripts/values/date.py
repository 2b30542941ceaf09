"""Dates: *den tredje maj*, *3 maj 2024*, *maj 1984*, *May 3rd*, *2024-05-03*. Without a year `--05-03`, as in XML Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

from callsvc.transcripts.values.number import number_at, ordinal_at
from callsvc.transcripts.values.phrase import Phrase

YEARS = range(1900, 2100)
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Date:
    """`end` is the place behind its last word."""

    end: int
    value: str


def date_at(phrase: Phrase, at: int) -> Date | None:
    """The date that begins at this place."""
    written = re.fullmatch(r"((?:19|20)\d\d)-(\d\d)-(\d\d)", phrase.at(at))
    if written and _is(int(written[2]), int(written[3])):
        return Date(at + 1, written[0])
    return _day_first(phrase, at) or _month_first(phrase, at)


def _day_first(phrase: Phrase, at: int) -> Date | None:
    dates, months = phrase.grammar["dates"], phrase.grammar["months"]
    the = phrase.at(at) in dates["the"]
    n = at + 1 if the else at
    short = re.fullmatch(r"(\d{1,2})/(\d{1,2})", phrase.at(n))
    if short and the and dates["day_before_month"] and _is(int(short[2]), int(short[1])):
        return _with_year(phrase, at, n + 1, int(short[2]), int(short[1]))
    day = _day(phrase, n)
    if day is None:
        return None
    number, n = day
    n += phrase.at(n) in dates["of"]
    month = months.get(phrase.at(n))
    if month is None or not _is(month, number) or not phrase.joined(at, n + 1):
        return None
    return _with_year(phrase, at, n + 1, month, number)


def _month_first(phrase: Phrase, at: int) -> Date | None:
    dates = phrase.grammar["dates"]
    month = phrase.grammar["months"].get(phrase.at(at))
    if month is None:
        return None
    if not dates["day_before_month"]:
        day = _day(phrase, at + 1 + (phrase.at(at + 1) in dates["the"]))
        if day is not None and _is(month, day[0]) and phrase.joined(at, day[1]):
            return _with_year(phrase, at, day[1], month, day[0])
    year = _year(phrase, at, at + 1)
    return None if year is None else Date(year[1], f"{year[0]}-{month:02}")


def _day(phrase: Phrase, n: int) -> tuple[int, int] | None:
    """A day of a month and the place behind it: an ordinal, or digits."""
    if re.fullmatch(r"[0-3]?\d", phrase.at(n)):
        return int(phrase.at(n)), n + 1
    found = ordinal_at(phrase, n)
    return None if found is None else (found.value, found.end)


def _with_year(phrase: Phrase, at: int, n: int, month: int, day: int) -> Date:
    year = _year(phrase, at, n)
    if year is None or (month == 2 and day == 29 and year[0] % 4):
        return Date(n, f"--{month:02}-{day:02}")
    return Date(year[1], f"{year[0]}-{month:02}-{day:02}")


def _year(phrase: Phrase, at: int, n: int) -> tuple[int, int] | None:
    """A year and the place behind it: one number, or two that stand for its halves (*nitton åttiofyra*)."""
    found = number_at(phrase, n)
    if found is None or found.doubtful or not phrase.joined(at, found.end, over=","):
        return None
    if found.value in YEARS:
        return found.value, found.end
    second = number_at(phrase, found.end)
    if (
        found.value in (19, 20)
        and second is not None
        and not second.doubtful
        and 10 <= second.value <= 99
        and phrase.joined(at, second.end, over=",")
    ):
        return found.value * 100 + second.value, second.end
    return None


def _is(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= DAYS[month - 1]
