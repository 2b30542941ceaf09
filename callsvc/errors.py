"""What can go wrong, as types.

    CallsvcError              1   a fault; the root of the tree
    ├── UsageError            2   the command was given something it cannot use
    ├── ConfigurationError    3   settings that cannot work, or that disagree with what is on disk
    │   ├── PortTaken         3
    │   ├── DataDirBusy       3
    │   └── DataDirTooNew     3
    ├── MissingPart           4   a model, program, key or codec that is needed and not there
    ├── VerificationFailed    5   something sealed is not what it was
    ├── AccessDenied              a person may not do this
    │   └── ReasonRequired        ... until a reason is given
    ├── NotFound                  no such call, user, recording
    ├── Conflict                  the thing changed, or is already there
    └── Unavailable               a part that is away for now; trying again is right

The class docstring is the default message. `hint` says what to do. Both are sentences in English with named values,
`NotFound("There is no {what}.", what=name)`; `told` says them in the reader's language, from `callsvc/locale/errors`.
The number is the exit code of a command that ends with the error.
"""

from __future__ import annotations

from typing import ClassVar, Self

from callsvc.locale import said
from callsvc.locale.said import Said


class CallsvcError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, words: str = "", /, *, hint: str = "", **values: object) -> None:
        self.words = words or (type(self).__doc__ or "").strip().splitlines()[0]
        self.values = values
        self.to_do = hint or self.default_hint
        super().__init__(self.message)

    @classmethod
    def of(cls, error: Exception) -> Self:
        """An error of another tree as one of this, with its words and what it says is to be done."""
        told = said.of(error)
        return cls(told.words, hint=getattr(error, "hint", ""), **told.values)

    @property
    def said(self) -> Said:
        return Said(self.words, self.values)

    @property
    def message(self) -> str:
        """What went wrong, in English: for logs."""
        return self.said.sentence()

    @property
    def hint(self) -> str:
        """What to do, in English; empty where nobody knows."""
        return Said(self.to_do, self.values).sentence()

    def told(self, lang: str) -> tuple[str, str]:
        """What went wrong and what to do, in the reader's language."""
        return self.said.sentence(lang), Said(self.to_do, self.values).sentence(lang)


class UsageError(CallsvcError):
    """The command was given something that it cannot use."""

    exit_code = 2


class ConfigurationError(CallsvcError):
    """The settings cannot work."""

    exit_code = 3
    default_hint = "Run `callsvc doctor`, or compare callsvc.toml with docs/reference/settings.md."


class PortTaken(ConfigurationError):
    """Another program listens on a port that the service needs."""

    default_hint = "Stop the other program, or choose another port in callsvc.toml (0 takes any free one)."


class DataDirBusy(ConfigurationError):
    """Another service already runs on this data directory."""

    default_hint = "Stop the other one first, or name another directory with --data-dir."


class DataDirTooNew(ConfigurationError):
    """The data directory was written by a newer version of the service."""

    default_hint = "Install that version or a later one. Nothing was changed."


class MissingPart(CallsvcError):
    """A part that the service needs is not on this machine."""

    exit_code = 4
    default_hint = "Run `callsvc doctor` to see what is missing and how to get it."


class VerificationFailed(CallsvcError):
    """Something sealed is not what it was when it was sealed."""

    exit_code = 5


class AccessDenied(CallsvcError):
    """You may not do this."""


class ReasonRequired(AccessDenied):
    """A reason must be given before this can be opened."""


class NotFound(CallsvcError):
    """There is no such thing."""


class Conflict(CallsvcError):
    """The thing has changed, or is already there."""


class Unavailable(CallsvcError):
    """A part of the service is away for the moment."""

    default_hint = "Try again in a moment."
