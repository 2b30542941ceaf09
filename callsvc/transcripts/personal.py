"""Marks for what may be personal data in a line: a help for whoever redacts. The words stay as they were spoken.

Runs of digits count by their number, spoken or written, and never by a check digit: one digit heard wrongly would hide
the rest. Beside each mark stands what it comes to: *noll sju noll* as 070.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from callsvc.transcripts.values.number import digits, number_at
from callsvc.transcripts.values.phrase import Phrase, phrase

Kind = Literal["personal_number", "phone", "number", "plate", "email", "address", "name"]
LEAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """Words `first` to `last` (inclusive), what they may be, and what they come to."""

    first: int
    last: int
    kind: Kind
    value: str


def marks(words: Sequence[str], language: str = "sv") -> list[Mark]:
    """All marks of a line in its language, in order; no word is in two."""
    taken: set[int] = set()
    found: list[Mark] = []
    for one in [
        *_mails(words),
        *_addresses(words),
        *_plates(words),
        *_numbers(words, language),
        *_names(words),
    ]:
        place = set(range(one.first, one.last + 1))
        if not place & taken:
            taken |= place
            found.append(one)
    return sorted(found, key=lambda mark: mark.first)


def _numbers(words: Sequence[str], language: str) -> Iterator[Mark]:
    line = phrase(words, language)
    run: list[tuple[int, int, str]] = []
    n = 0
    while n <= len(words):
        if part := _part(line, n, language):
            run.append((n, part[1], part[0]))
            n = part[1]
            continue
        # An article begins many a phrase that is no number; "ett" may be the first of many digits.
        while len(run) > 1 and line.at(run[0][0]) in line.grammar["articles"]:
            if line.at(run[0][0]) == "ett" and len(run[1][2]) == 1:
                break
            run.pop(0)
        whole = "".join(one for _, _, one in run)
        if len(whole) >= LEAST_DIGITS:
            yield Mark(run[0][0], run[-1][1] - 1, *_named(whole))
        run = []
        n += 1


def _part(line: Phrase, n: int, language: str) -> tuple[str, int] | None:
    """The digits of a number in one word, or in several that are one (*fyra hundra femtio*), and the place behind it."""
    found = number_at(line, n)
    if found is not None and not found.doubtful and found.end > n + 1:
        return str(found.value), found.end
    one = digits(line.at(n), language) if line.at(n) else None
    return None if one is None else (one, n + 1)


def _named(run: str) -> tuple[Kind, str]:
    # A mobile number may look like a birth date; either way it is marked.
    if re.fullmatch(r"07[02369]\d{7}", run):
        return "phone", run
    if re.fullmatch(r"(?:(?:18|19|20)\d\d|\d\d)(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]|[6-8]\d|9[01])\d{4}", run):
        return "personal_number", f"{run[:-4]}-{run[-4:]}"
    if run.startswith(("0", "46")) and 8 <= len(run) <= 13:
        return "phone", run
    return "number", run


def _plates(words: Sequence[str]) -> Iterator[Mark]:
    for n, word in enumerate(words):
        bare = word.strip(".,;:!?").upper()
        if re.fullmatch(r"[A-Z]{3}-?\d\d[A-Z0-9]", bare):
            yield Mark(n, n, "plate", bare.replace("-", ""))


def _mails(words: Sequence[str]) -> Iterator[Mark]:
    mail = _data()["mail"]
    for n, word in enumerate(words):
        bare = word.strip(".,;:!?").lower()
        if re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", bare):
            yield Mark(n, n, "email", bare)
        elif bare in mail["at"] and 0 < n < len(words) - 1:
            last = n + 1
            while last + 2 < len(words) and words[last + 1].strip(".,").lower() in mail["dot"]:
                last += 2
            parts = [one.strip(".,;:!?").lower() for one in words[n + 1 : last + 1]]
            host = "".join("." if one in mail["dot"] else one for one in parts)
            yield Mark(n - 1, last, "email", f"{words[n - 1].strip('.,').lower()}@{host}")


def _addresses(words: Sequence[str]) -> Iterator[Mark]:
    endings = tuple(_data()["streets"]["endings"])
    for n, word in enumerate(words[:-1]):
        bare = word.strip(".,;:!?")
        house = digits(words[n + 1])
        if bare.lower().endswith(endings) and house and len(house) <= 3:
            yield Mark(n, n + 1, "address", f"{bare} {house}")


def _names(words: Sequence[str]) -> Iterator[Mark]:
    n = 0
    while n < len(words):
        bare = words[n].strip(".,;:!?")
        last = n
        if bare.lower() in _first_names():
            while (
                last + 1 < len(words)
                and re.fullmatch(r"[^\W\d_]+[.,;:!?]*", words[last + 1])
                and _is_name(words, last)
            ):
                last += 1
            yield Mark(n, last, "name", " ".join(one.strip(".,;:!?") for one in words[n : last + 1]))
        n = last + 1


def _is_name(words: Sequence[str], last: int) -> bool:
    """Whether the word after `last` goes on with a name: a capital where no sentence begins."""
    return words[last + 1][0].isupper() and words[last][-1].isalpha()


@cache
def _first_names() -> frozenset[str]:
    return frozenset(_data()["names"]["first"])


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("personal.toml").read_text(encoding="utf-8"))
