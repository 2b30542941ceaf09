"""What the numbers, times and dates of a line come to. The words stay as they were spoken.

Where one cannot tell (*en*, *ett*, *sex*, *halv* alone; *tjugo tre*, which may be two numbers) there is no value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from callsvc.transcripts.personal import Mark
from callsvc.transcripts.values.clock import time_at
from callsvc.transcripts.values.date import date_at
from callsvc.transcripts.values.number import inside, number_at, ordinal_at
from callsvc.transcripts.values.phrase import Phrase, grammar, phrase

Kind = Literal["cardinal", "ordinal", "decimal", "fraction", "digits", "time", "date"]
# So many single digits in a row are read one by one: *ett ett två* is 112, *två tre* are two numbers.
LEAST_RUN: Final = 3


@dataclass(frozen=True, slots=True)
class Value:
    """Words `first` to `last` (inclusive) and what they come to."""

    first: int
    last: int
    kind: Kind
    value: str


def values(words: Sequence[str], marked: Sequence[Mark], language: str = "sv") -> list[Value]:
    """All values of a line, in order; no word is in two. What one of its marks already tells the digits of is left out."""
    line, n = phrase(words, language), 0
    found: list[Value] = []
    while n < len(words):
        if not _may_begin(line.at(n), language or "sv"):
            n += 1
            continue
        value, n = _next(line, n)
        if value is not None:
            found.append(value)
    told = [range(mark.first, mark.last + 1) for mark in marked]
    return [
        one
        for one in found
        if one.kind not in ("cardinal", "digits")
        or not any(one.first in span and one.last in span for span in told)
    ]


@lru_cache(8192)
def _may_begin(word: str, language: str) -> bool:
    """Whether anything begins with this word; of most words it is known at once that nothing does."""
    known = grammar(language)
    others = [*known["months"], *known["half"], *known["minus"], *known["dates"]["the"]]
    clock = known["clock"]
    return (
        re.search(r"\d", word) is not None
        or word in [*others, *clock["asks"], *clock["quarter"]]
        or any(word.endswith(name) for name in known["ordinals"])
        or inside(word, language) is not None
        or re.fullmatch("(.+?)" + known["written"]["aged"], word) is not None
    )


def _next(line: Phrase, n: int) -> tuple[Value | None, int]:
    """The value that begins here, if one does, and where to go on."""
    for saying in line.grammar["sayings"]:
        if list(line.bare[n : n + len(saying)]) == saying:
            return None, n + len(saying)
    if date := date_at(line, n):
        return Value(n, date.end - 1, "date", date.value), date.end
    if time := time_at(line, n):
        return Value(time.first, time.end - 1, "time", time.value), time.end
    readings: list[tuple[Kind, tuple[str, int] | None]] = [
        ("decimal", _decimal(line, n)),
        ("fraction", _fraction(line, n)),
        ("digits", _digits(line, n)),
        ("ordinal", _ordinal(line, n)),
    ]
    for kind, found in readings:
        if found:
            return Value(n, found[1] - 1, kind, found[0]), found[1]
    return _cardinal(line, n)


def _cardinal(line: Phrase, n: int) -> tuple[Value | None, int]:
    known, minus = line.grammar, line.at(n) in line.grammar["minus"]
    found = number_at(line, n + minus)
    if found is None or (minus and not line.joined(n, n + 2)):
        years = _age(line, n)
        return (None if years is None else Value(n, n, "cardinal", years)), n + 1
    alone = found.end == n + 1
    unsure = line.at(n) in known["articles"] or (
        line.at(n) in known["doubtful"] and not (line.at(n + 1) in known["counted"] and line.joined(n, n + 2))
    )
    if found.doubtful or (alone and unsure):
        return None, found.end
    return Value(n, found.end - 1, "cardinal", f"{'-' * minus}{found.value}"), found.end


def _age(line: Phrase, n: int) -> str | None:
    """The years in `35-åring` and `trettiofemårig`."""
    found = re.fullmatch(r"(.+?)" + line.grammar["written"]["aged"], line.at(n))
    if found is None or found[1].isdecimal():
        return found and found[1]
    years = inside(found[1], line.grammar["language"])
    return None if years is None else str(years[0])


def _ordinal(line: Phrase, n: int) -> tuple[str, int] | None:
    found = ordinal_at(line, n)
    if found is None or (found.end == n + 1 and line.at(n) in line.grammar["doubtful"]):
        return None
    return str(found.value), found.end


def _decimal(line: Phrase, n: int) -> tuple[str, int] | None:
    """`5,2`, `fem komma två`, `två och en halv`, `en halv`, each with *miljoner* behind it, or *minus* before."""
    known = line.grammar
    minus = line.at(n) in known["minus"]
    found = _broken(line, n + minus)
    if found is None or not line.joined(n, found[1]):
        return None
    amount, end = found
    times = known["multipliers"].get(line.at(end), 0)
    if times >= 1000 and line.joined(n, end + 1):
        amount, end = amount * times, end + 1
    plain = f"{amount:f}"
    return "-" * minus + (plain.rstrip("0").rstrip(".") if times else plain), end


def _broken(line: Phrase, n: int) -> tuple[Decimal, int] | None:
    known = line.grammar
    # One point and three digits may be a thousand, and 19.30 a time.
    if re.fullmatch(
        r"\d{1,9},\d{1,9}|\d{1,9}\.(?:\d|\d{4,9})|\d{3,9}\.\d\d|(?:2[5-9]|[3-9]\d)\.\d\d|\d\d?\.[6-9]\d",
        line.at(n),
    ):
        return Decimal(line.at(n).replace(",", ".")), n + 1
    if line.at(n) in known["articles"] and _half(line, n + 1):
        return Decimal("0.5"), n + 2
    whole = number_at(line, n)
    if whole is None or whole.doubtful:
        return None
    if line.at(whole.end) in known["comma"]:
        digits, end = "", whole.end + 1
        while line.joined(end - 1, end + 1) and (part := _part(line, end)):
            digits, end = digits + part, end + 1
        return (Decimal(f"{whole.value}.{digits}"), end) if digits else None
    if (
        line.at(whole.end) in known["and"]
        and line.at(whole.end + 1) in known["articles"]
        and _half(line, whole.end + 2)
    ):
        return Decimal(whole.value) + Decimal("0.5"), whole.end + 3
    return None


def _half(line: Phrase, n: int) -> bool:
    """Whether a half stands here that is none of an hour: *en halv*, and not *en halv tre*."""
    return line.at(n) in line.grammar["half"] and (
        number_at(line, n + 1) is None or line.grammar["multipliers"].get(line.at(n + 1), 0) >= 1000
    )


def _part(line: Phrase, n: int) -> str | None:
    """The digits of one word, leading noughts too."""
    if re.fullmatch(r"\d{1,9}", line.at(n)):
        return line.at(n)
    found = inside(line.at(n), line.grammar["language"]) if line.at(n) else None
    return None if found is None or found[0] >= 1000 else str(found[0])


def _fraction(line: Phrase, n: int) -> tuple[str, int] | None:
    above = number_at(line, n)
    if above is None or above.doubtful or not line.joined(n, above.end + 1):
        return None
    for name, below in line.grammar["parts"].items():
        if re.fullmatch(name + line.grammar["written"]["plural_of_parts"], line.at(above.end)):
            return f"{above.value}/{below}", above.end + 1
    return None


def _digits(line: Phrase, n: int) -> tuple[str, int] | None:
    """Digits that are read one by one, and numbers behind a nought."""
    if re.fullmatch(r"0\d{1,11}", line.at(n)):
        return line.at(n), n + 1
    nought, read, end = line.at(n) in line.grammar["zero"], "", n
    while (end == n or line.joined(end - 1, end + 1)) and (part := _part(line, end)):
        if len(part) > 1 and not nought:
            break
        read, end = read + part, end + 1
    return (read, end) if end - n >= (2 if nought else LEAST_RUN) else None
