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

Kind = Literal["personal_number", "phone", "number", "plate", "email", "address", "name"]
LEAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """Words `first` to `last` (inclusive), what they may be, and what they come to."""

    first: int
    last: int
    kind: Kind
    value: str


def marks(words: Sequence[str]) -> list[Mark]:
    """All marks of a line, in order; no word is in two."""
    taken: set[int] = set()
    found: list[Mark] = []
    for one in [*_mails(words), *_addresses(words), *_plates(words), *_numbers(words), *_names(words)]:
        place = set(range(one.first, one.last + 1))
        if not place & taken:
            taken |= place
            found.append(one)
    return sorted(found, key=lambda mark: mark.first)


def number(word: str) -> str | None:
    """The digits that a word is, written or spoken: `070-12`, `tjugotre`, `nittonhundraåttio`; None for other words."""
    bare = word.strip(".,;:!?()\"'").lower()
    if re.fullmatch(r"\+?\d[\d\-/ ]*", bare):
        return re.sub(r"\D", "", bare)
    spoken = _spoken(bare)
    return None if spoken is None else str(spoken)


def _spoken(word: str) -> int | None:
    units, multipliers = _data()["numbers"], _data()["multipliers"]
    if word in units:
        return int(units[word])
    for name, times in sorted(multipliers.items(), key=lambda one: -one[1]):
        head, joint, tail = word.partition(name)
        if joint:
            many = 1 if not head else _spoken(head)
            rest = 0 if not tail else _spoken(tail)
            return None if many is None or rest is None else many * int(times) + rest
    for name, value in units.items():
        if value >= 20 and word.startswith(name):
            rest = units.get(word[len(name) :])
            return None if rest is None or not 0 < rest < 10 else int(value) + int(rest)
    return None


def _numbers(words: Sequence[str]) -> Iterator[Mark]:
    run: list[tuple[int, str]] = []
    for n, word in enumerate([*words, ""]):
        digits = number(word)
        if digits is not None:
            run.append((n, digits))
            continue
        if run:
            # "en" and "ett" begin and end many a phrase that is no number.
            while run and words[run[0][0]].lower() in ("en", "ett") and len(run) > 1:
                run.pop(0)
            whole = "".join(part for _, part in run)
            if len(whole) >= LEAST_DIGITS:
                yield Mark(run[0][0], run[-1][0], *_named(whole))
            run = []


def _named(digits: str) -> tuple[Kind, str]:
    # A mobile number may look like a birth date; either way it is marked.
    if re.fullmatch(r"07[02369]\d{7}", digits):
        return "phone", digits
    if re.fullmatch(
        r"(?:(?:18|19|20)\d\d|\d\d)(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]|[6-8]\d|9[01])\d{4}", digits
    ):
        return "personal_number", f"{digits[:-4]}-{digits[-4:]}"
    if digits.startswith(("0", "46")) and 8 <= len(digits) <= 13:
        return "phone", digits
    return "number", digits


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
        digits = number(words[n + 1])
        if bare.lower().endswith(endings) and digits and len(digits) <= 3:
            yield Mark(n, n + 1, "address", f"{bare} {digits}")


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
