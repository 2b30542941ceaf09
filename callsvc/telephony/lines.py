"""Lines as data: which number is which line, what kind of line that is, what its callers hear first and who answers.

    in force is what was saved on the screens ──► none yet: the packaged set, which has no lines

A line that is no longer in use keeps its name for the calls that came in on it, and takes no more: calls to its number are
treated like those to any number that has no line.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import tomllib
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from callsvc.errors import UsageError
from callsvc.telephony.line_profiles import Name
from callsvc.types import Profile

MOST: Final = 300
ADDRESS: Final = re.compile(r"sip:(?:([^@\s]{1,64})@)?(\[[0-9a-fA-F:.]+\]|[0-9.]+)(?::(\d{1,5}))?")
"""`sip:user@address:port`; an address and no name, since a name server that is slow must hold no call up."""
Words = Annotated[str, Field(min_length=1, max_length=60)]

NO_TELEPHONE: Final = "is no telephone's address; write sip:100@192.0.2.7:5060, with an address and no name"


class UnknownTelephone(UsageError, ValueError):
    """A line's telephone is at an address that this node lets nobody in from."""


class TelephoneLine(BaseModel):
    """One line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name = Field(description="Its short name, which stays: a-z, 0-9, - and _.")
    number: str = Field(
        pattern=r"^[0-9A-Za-z+*?._-]{1,40}$",
        description="The called number, or a pattern: `114*`. The first line that fits has the call.",
    )
    sv: Words = Field(description="What it is called in Swedish.")
    en: Words = Field(description="What it is called in English.")
    profile: Profile = Field(description="What kind of line it is: the name of a line profile.")
    queue: Annotated[str, Field(max_length=40)] = Field(
        default="", description="Label that operators see beside a call that waits: which queue it stands in."
    )
    operator: str = Field(
        default="",
        description="The operator's telephone, `sip:100@192.0.2.7:5060`, at an address that the node's `sip` settings"
        " name; empty: the operator answers in the browser.",
    )
    announce: Name | None = Field(
        default=None, description="Announcement that callers hear first, in place of the profile's."
    )
    language: Name = Field(
        default="sv",
        description="Language of that announcement, and then of what is played while the operator is gone, too.",
    )
    retired: bool = Field(default=False, description="Whether the line is no longer in use.")

    @field_validator("operator")
    @classmethod
    def _an_address(cls, operator: str) -> str:
        found = ADDRESS.fullmatch(operator)
        if operator and found is None:
            raise PydanticCustomError("telephone", NO_TELEPHONE)
        if found is not None:
            try:
                ipaddress.ip_address(found[2].strip("[]"))
            except ValueError:
                raise PydanticCustomError("telephone", NO_TELEPHONE) from None
        return operator

    @property
    def host(self) -> str:
        """Where the operator's telephone is; empty without one."""
        found = ADDRESS.fullmatch(self.operator)
        return found[2].strip("[]") if found else ""


class TelephoneLines(BaseModel):
    """A whole set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    line: Annotated[tuple[TelephoneLine, ...], Field(max_length=MOST)] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len({one.id for one in self.line}) != len(self.line):
            raise PydanticCustomError("twice", "two lines have the same id")
        used: set[str] = set()
        for n, one in enumerate(self.line):
            if one.retired:
                continue
            if one.number in used:
                raise PydanticCustomError(
                    "number", "two lines in use have the same number", {"at": ("line", n, "number")}
                )
            used.add(one.number)
        return self

    def of(self, number: str) -> TelephoneLine | None:
        """The line that a call to this number comes in on."""
        for one in self.line:
            if not one.retired and fnmatch.fnmatchcase(number, one.number):
                return one
        return None


def read(text: str) -> TelephoneLines:
    """A set from its text. Raises `ValueError`, of which pydantic's and tomllib's are kinds."""
    return TelephoneLines.model_validate(tomllib.loads(text))


class LinesInForce:
    """The lines that this node goes by. `known` says whether a telephone's address is one that the settings name."""

    def __init__(self, known: Callable[[str], bool] = lambda _: True) -> None:
        self._known = known
        self._set = TelephoneLines(version=1)

    def of(self, number: str) -> TelephoneLine | None:
        """The line of a call that begins now."""
        return self._set.of(number)

    def put(self, text: str) -> None:
        """A set was saved on the screens. Raises `ValueError`, and leaves what is in force."""
        found = read(text)
        for one in found.line:
            if one.host and not one.retired and not self._known(one.host):
                raise UnknownTelephone(
                    "Line {line}: {address} is no address that this node's sip settings name.",
                    line=one.id,
                    address=one.host,
                )
        self._set = found
