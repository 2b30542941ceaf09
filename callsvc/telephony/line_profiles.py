"""Line profiles as data: read from a file that somebody keeps, checked, and remembered for when it cannot be read.

    the file that settings name ──(whole and sensible?)──► in force, and copied beside the node's own files
                                 └─(no)──► the copy of the last that was ──(none?)──► SAFEST

Where settings name none, what was saved on the screens is put here as it comes (`callsvc.media.editions`). Either way a
change is in force for the next call that begins; calls that go on keep what they began with.
"""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from callsvc import logs
from callsvc.telephony.protocol import MOST_BACK_MS
from callsvc.types import Profile

VERSION = 1
MAX_BYTES = 64 * 1024
CACHE = "line-profiles.json"
Spoken = Literal["opus", "G722", "PCMA", "PCMU"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
log = logs.get("telephony")


class LineProfile(BaseModel):
    """What one kind of line means for its calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: bool = Field(description="Whether calls are recorded.")
    recall_s: int = Field(
        default=60,
        ge=0,
        le=MOST_BACK_MS // 1000,
        description="Seconds that an operator can listen back; 0 keeps none in memory.",
    )
    number: Literal["keep", "drop"] = Field(
        default="drop",
        description="`drop`: the caller's number goes no further than the door, and into no log.",
    )
    digits: Literal["keep", "drop"] = Field(
        default="drop",
        description="`drop`: which key of the telephone is pressed is neither shown nor kept, only that one was.",
    )
    codecs: tuple[Spoken, ...] = Field(
        default=(),
        description="Codecs that may be spoken, the preferred first; empty takes what the client prefers.",
    )
    announce: Name | None = Field(
        default=None, description="Announcement that the caller hears as the call begins."
    )
    language: Name = Field(
        default="sv",
        description="Language of that announcement, and of what the caller hears while the operator is gone.",
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.codecs)) != len(self.codecs):
            raise PydanticCustomError("twice", "a codec is named twice", {"at": ("codecs",)})
        return self


class LineProfiles(BaseModel):
    """A whole set: every kind of line has its profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    emergency: LineProfile
    report: LineProfile
    interview: LineProfile
    anonymous: LineProfile

    @model_validator(mode="after")
    def _nobody_is_found(self) -> Self:
        kept = self.anonymous.record or self.anonymous.recall_s
        if kept or self.anonymous.number != "drop":
            field = "record" if self.anonymous.record else "recall_s" if self.anonymous.recall_s else "number"
            raise PydanticCustomError(
                "found",
                "the anonymous line keeps no number, no sound and nothing to listen back to",
                {"at": ("anonymous", field)},
            )
        return self

    def of(self, profile: Profile) -> LineProfile:
        found: LineProfile = getattr(self, profile.value)
        return found


SAFEST = LineProfiles(
    version=1,
    emergency=LineProfile(record=True),
    report=LineProfile(record=True),
    interview=LineProfile(record=True),
    anonymous=LineProfile(record=False, recall_s=0),
)
"""Where a file is named and neither it nor its copy can be read: calls are recorded, and no number goes anywhere."""


def read(text: str) -> LineProfiles:
    """A set from its file. Raises `ValueError`, of which pydantic's and tomllib's are kinds."""
    return LineProfiles.model_validate(tomllib.loads(text))


def packaged() -> LineProfiles:
    """The set that comes with the service."""
    try:
        text = resources.files("callsvc.telephony").joinpath("profiles.toml").read_text("utf-8")
        return read(text)
    except (OSError, ValueError) as error:
        log.error("line_profiles_missing", error=type(error).__name__)
        return SAFEST


class Lines:
    """The profiles in force on this node."""

    def __init__(self, file: Path | None = None, cache_dir: Path | None = None) -> None:
        self._file = file
        self._cache = cache_dir / CACHE if cache_dir else None
        self._seen: tuple[int, int, int] | None = None
        self.fault = ""
        """Why the file is not in force; empty when it is, or when none is named."""
        # Somebody had wishes of their own: while they cannot be read, what comes with the service is a guess.
        self._set = self._remembered() or (packaged() if file is None else SAFEST)
        self._look()

    def of(self, profile: Profile) -> LineProfile:
        """The profile for a call that begins now."""
        self._look()
        return self._set.of(profile)

    def put(self, text: str) -> None:
        """A set was saved on the screens; a file that settings name goes before it. Raises `ValueError`."""
        found = read(text)
        if self._file is None:
            self._set = found

    def _look(self) -> None:
        """Take the file in, if it has changed since it was looked at last."""
        if self._file is None:
            return
        try:
            status = self._file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return
            self._seen = seen
            if status.st_size > MAX_BYTES:
                raise ValueError("too long")
            found = read(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            if self._fault(error) != self.fault:
                self.fault = self._fault(error)
                log.error("line_profiles_refused", why=self.fault)
            return
        self.fault = ""
        self._set = found
        self._remember(found)
        log.info("line_profiles_in_force")

    @staticmethod
    def _fault(error: OSError | ValueError) -> str:
        if isinstance(error, ValidationError):
            return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        return type(error).__name__

    def _remember(self, found: LineProfiles) -> None:
        if self._cache is None:
            return
        try:
            beside = self._cache.with_suffix(".new")
            beside.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
            os.replace(beside, self._cache)
        except OSError as error:
            # The set is in force all the same; only a start without the file would not know it.
            log.warning("line_profiles_not_remembered", error=type(error).__name__)

    def _remembered(self) -> LineProfiles | None:
        if self._cache is None or self._file is None:
            return None
        try:
            return LineProfiles.model_validate_json(self._cache.read_bytes())
        except (OSError, ValueError):
            return None
