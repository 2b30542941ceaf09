"""One thing that was looked at, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callsvc.locale import catalogue, text


class State(StrEnum):
    """How bad it is."""

    GOOD = "good"
    OPTIONAL = "optional"
    """Not there, and nobody need miss it."""
    DEGRADED = "degraded"
    """The service works, but worse than it could."""
    FAULT = "fault"
    """The service, or a whole part of it, does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check came out. The words are `doctor.<check>.<outcome>` in the catalogue, `..._todo` what to do."""

    check: str
    outcome: str
    state: State
    values: Mapping[str, object] = field(default_factory=dict)

    def says(self, lang: str) -> str:
        return text(f"doctor.{self.check}.{self.outcome}", lang, **self.values)

    def to_do(self, lang: str) -> str:
        """What to do; empty where there is nothing."""
        key = f"doctor.{self.check}.{self.outcome}_todo"
        return text(key, lang, **self.values) if key in catalogue(lang) else ""


def good(check: str, **values: object) -> Finding:
    return Finding(check, "good", State.GOOD, values)


def optional(check: str, outcome: str, **values: object) -> Finding:
    return Finding(check, outcome, State.OPTIONAL, values)


def degraded(check: str, outcome: str, **values: object) -> Finding:
    return Finding(check, outcome, State.DEGRADED, values)


def fault(check: str, outcome: str, **values: object) -> Finding:
    return Finding(check, outcome, State.FAULT, values)
