"""Times of day: *klockan halv tre*, *tjugo i åtta*, *14.30*.

On a face of twelve hours a time has two readings, and both are the value (`02:30|14:30`) unless something beside it
settles which: *på kvällen*, an hour beyond twelve, a nought before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from callsvc.transcripts.values.number import number_at
from callsvc.transcripts.values.phrase import Phrase

HALF_DAY, DAY = 12 * 60, 24 * 60


@dataclass(frozen=True, slots=True)
class Time:
    """Minutes `past` (or before) an hour; `first` to `end` (exclusive) are its words. `sure`: said on 24 hours."""

    first: int
    end: int
    hour: int
    past: int
    sure: bool

    @property
    def value(self) -> str:
        if self.sure:
            return _face((self.hour * 60 + self.past) % DAY)
        early = (self.hour * 60 + self.past) % HALF_DAY
        return f"{_face(early)}|{_face(early + HALF_DAY)}"


def time_at(phrase: Phrase, at: int) -> Time | None:
    """The time of day that begins at this place."""
    clock, n = phrase.grammar["clock"], at
    asked = phrase.at(n) in clock["asks"]
    if asked:
        n += 2 if phrase.at(n + 1) in clock["is"] else 1
    found = _beside_an_hour(phrase, n, asked) or _written(phrase, n, asked)
    if found is None and (asked or clock["oclock"]):
        found = _hour_and_minutes(phrase, n, asked)
    return None if found is None else _half_of_day(phrase, found)


def _beside_an_hour(phrase: Phrase, n: int, asked: bool) -> Time | None:
    """`kvart över tre`, `tjugo i åtta`, `fem i halv tre`, `halv tre`, `half past two`."""
    clock, known = phrase.grammar["clock"], phrase.grammar
    past, end = 0, n
    half = phrase.at(n) in known["half"]
    if half and clock["half_is_before"]:
        if phrase.at(n - 1) in [*known["articles"], *known["and"]]:
            return None
    else:
        minutes = _minutes(phrase, n, asked)
        if minutes is None:
            return None
        past, end = minutes
        if phrase.at(end) in clock["to"] and not half:
            past = -past
        elif phrase.at(end) not in clock["past"]:
            return None
        end += 1
        half = clock["half_is_before"] and phrase.at(end) in known["half"]
    if half and clock["half_is_before"]:
        past, end = past - 30, end + 1
    hour = number_at(phrase, end)
    if hour is None or hour.doubtful or not 1 <= hour.value <= 12 or not phrase.joined(n, hour.end):
        return None
    if not asked and phrase.at(hour.end) in known["counted"] and phrase.joined(n, hour.end + 1):
        return None
    return Time(n, hour.end, hour.value, past, sure=False)


def _minutes(phrase: Phrase, n: int, asked: bool) -> tuple[int, int] | None:
    """So many minutes, and the place behind them; without the word, only as many as people say without it."""
    clock = phrase.grammar["clock"]
    if phrase.at(n) in clock["quarter"]:
        return 15, n + 1
    if phrase.at(n) in phrase.grammar["half"]:
        return 30, n + 1
    found = number_at(phrase, n)
    if found is None or found.doubtful or not 1 <= found.value <= 29:
        return None
    if phrase.at(found.end) in clock["minutes"]:
        return found.value, found.end + 1
    return (found.value, found.end) if asked or found.value in clock["round_minutes"] else None


def _written(phrase: Phrase, n: int, asked: bool) -> Time | None:
    """`14:30`; `14.30` only behind "klockan", for else it may be a fraction."""
    found = re.fullmatch(r"(\d{1,2})([:.])([0-5]\d)", phrase.at(n))
    if found is None or int(found[1]) > 24 or (found[2] == "." and not asked):
        return None
    hour = int(found[1])
    return Time(n, n + 1, hour, int(found[3]), sure=found[1][0] == "0" or hour > 12)


def _hour_and_minutes(phrase: Phrase, n: int, asked: bool) -> Time | None:
    """`klockan nitton och trettio`, `klockan noll sju noll fem`; in English where "o'clock", "a.m." or "p.m." follows."""
    clock, known = phrase.grammar["clock"], phrase.grammar
    hour, end, nought = _two_digits(phrase, n)
    if hour is None or hour > 24:
        return None
    at = end + 1 if phrase.at(end) in known["and"] else end
    minutes, behind, _ = _two_digits(phrase, at)
    # "klockan sju två män" is no time with minutes, and neither is "klockan sju tjugo personer".
    if (
        minutes is None
        or minutes > 59
        or (minutes < 10 and behind == at + 1)
        or not phrase.joined(n, behind)
        or phrase.at(behind) in known["counted"]
    ):
        minutes, behind = 0, end
    if not asked:
        told = phrase.at(behind) in clock["oclock"]
        if not (told or phrase.at(behind) in ("am", "pm")) or not phrase.joined(n, behind + 1):
            return None
        behind += told
    return Time(n, behind, hour, minutes, sure=nought or hour > 12 or hour == 0)


def _two_digits(phrase: Phrase, n: int) -> tuple[int | None, int, bool]:
    """A number, or a nought and a digit; the place behind it, and whether a nought came first."""
    zero = phrase.grammar["zero"]
    written = re.fullmatch(r"0\d", phrase.at(n))
    if written:
        return int(written[0]), n + 1, True
    if phrase.at(n) in zero and phrase.joined(n, n + 2):
        digit = number_at(phrase, n + 1)
        if digit is not None and digit.value < 10 and digit.end == n + 2:
            return digit.value, n + 2, True
    found = number_at(phrase, n)
    return (None, n, False) if found is None or found.doubtful else (found.value, found.end, False)


def _half_of_day(phrase: Phrase, time: Time) -> Time:
    if time.sure:
        return time
    for day in phrase.grammar["clock"]["day"]:
        for said in day["said"]:
            end = phrase.says(time.end, said)
            if end and phrase.joined(time.first, end) and day["from"] <= time.hour <= day["to"]:
                hour = time.hour % 12 + (12 if day["half"] == "second" else 0)
                return replace(time, end=end, hour=hour, sure=True)
    return time


def _face(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
