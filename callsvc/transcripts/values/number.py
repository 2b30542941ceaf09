"""Whole numbers in words or digits: *etthundratolv*, *tre tusen fem hundra*, *35*; ordinals: *tredje*, *3:e*.

A number may be one word or several. Words that are two numbers as likely as one (*tjugo tre*) are said to be doubtful.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from callsvc.transcripts.values.phrase import SIGNS, Phrase, grammar

MOST_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Number:
    """A value and the place behind its last word. `doubtful`: it may be two numbers."""

    value: int
    end: int
    doubtful: bool = False


def digits(word: str, language: str = "sv") -> str | None:
    """The digits that one word is, written or spoken: `070-12`, `tjugotre`; None for other words."""
    bare = word.strip(SIGNS).lower()
    if re.fullmatch(r"\+?\d[\d\-/ ]*", bare):
        return re.sub(r"\D", "", bare)
    found = inside(bare, language or "sv")
    return None if found is None else str(found[0])


def number_at(phrase: Phrase, at: int) -> Number | None:
    """The longest number that begins with the word at this place."""
    first = _word(phrase, at)
    if first is None:
        return None
    known = phrase.grammar
    # What larger multipliers have closed; what is being said; below what the next word, and the next multiplier, must lie.
    total, group, room, ceiling = 0, *first, 10**MOST_DIGITS
    if room >= 1000:
        total, group, ceiling = group, 0, room
    open_tens, n = room == 10, at + 1
    while phrase.joined(n - 1, n + 1):
        word = phrase.at(n)
        if times := known["multipliers"].get(word):
            if not (1 <= group < min(times, 1000) or (not group and times < room)):
                break
            if times == 100:
                group, room = max(1, group) * 100, 100
            elif times < ceiling:
                total, group, room, ceiling = total + max(1, group) * times, 0, times, times
            else:
                break
            n, open_tens = n + 1, False
            continue
        step = 1
        if word in known["and"] and room in (100, 1000) and phrase.at(at - 1) not in known["between"]:
            step = 2
        more = _word(phrase, n + step - 1) if phrase.joined(n - 1, n + step) else None
        if more is None or not 0 < more[0] < (min(room, 100) if step == 2 else room):
            break
        if open_tens and not known["tens_take_units"]:
            return Number(total + group + more[0], n + 1, doubtful=True)
        group, room, n = group + more[0], more[1], n + step
        open_tens = room == 10
    return Number(total + group, n)


def ordinal_at(phrase: Phrase, at: int) -> Number | None:
    """The ordinal at this place: one word, or in English two."""
    word, known = phrase.at(at), phrase.grammar
    if written := re.fullmatch(rf"(\d{{1,{MOST_DIGITS}}})" + known["written"]["ordinal"], word):
        return Number(int(written[1]), at + 1)
    ordinals: dict[str, int] = known["ordinals"]
    if word in ordinals:
        return Number(ordinals[word], at + 1)
    for name, value in ordinals.items():
        if word.endswith(name) and (head := inside(word[: -len(name)].rstrip("-"), _language(known))):
            if 0 < value < head[1]:
                return Number(head[0] + value, at + 1)
            if value in (100, 1000) and 0 < head[0] < value:
                return Number(head[0] * value, at + 1)
    tens = known["tens"].get(word)
    unit = ordinals.get(phrase.at(at + 1), 0)
    if tens and known["tens_take_units"] and 0 < unit < 10 and phrase.joined(at, at + 2):
        return Number(tens + unit, at + 2)
    return None


@lru_cache(4096)
def inside(word: str, language: str) -> tuple[int, int] | None:
    """A number in one word: its value, and the least number that is too large to be joined to it."""
    known = grammar(language)
    if word in known["units"]:
        return known["units"][word], 1
    if word in known["tens"]:
        return known["tens"][word], 10
    for name, times in sorted(known["multipliers"].items(), key=lambda one: (-one[1], -len(one[0]))):
        head, joint, tail = word.partition(name)
        if not joint:
            continue
        # "ettusen" is written with two t where three meet.
        many = (1, 1) if not head else inside(head, language) or inside(f"{head}t", language)
        rest = (0, times) if not tail else inside(tail, language)
        if many is None or rest is None or not 0 < many[0] < min(times, 1000):
            return None
        if tail and not 0 < rest[0] < times:
            return None
        return many[0] * times + rest[0], rest[1]
    for name in sorted(known["tens"], key=len, reverse=True):
        unit = known["units"].get(word[len(name) :].lstrip("-"), 0) if word.startswith(name) else 0
        if 0 < unit < 10:
            return known["tens"][name] + unit, 1
    return None


def _word(phrase: Phrase, at: int) -> tuple[int, int] | None:
    word = phrase.at(at)
    if re.fullmatch(rf"0|[1-9]\d{{0,{MOST_DIGITS - 1}}}", word):
        return int(word), 1
    return inside(word, _language(phrase.grammar)) if word else None


def _language(known: dict[str, Any]) -> str:
    return str(known.get("language", ""))
