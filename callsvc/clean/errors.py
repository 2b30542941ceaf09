"""What can be wrong with a file that is to be cleaned: the error tree's branch of this feature.

UsageError
├── NotSound           no sound in it that can be read
├── UnusualRate        its header states a rate that no sound has
├── UnknownFormat      no format of that name can be written
├── TooManyChannels    more than can be read, or than the result's format holds
├── TooLong            more than a WAV file holds
├── NotWritable        the disk, or the directory, does not take the result
├── AlreadyThere       the result exists
├── SameFile           the result would replace the original
├── NoSuchChannel      the file has fewer channels
└── ReportFormat       no report of that form can be written
"""

from __future__ import annotations

from pathlib import Path

from callsvc.errors import UsageError
from callsvc.locale import text


class NotSound(UsageError):
    """The file holds no sound that can be read."""

    def __init__(self, path: Path) -> None:
        there = path.is_file()
        super().__init__(
            text("clean.not_sound" if there else "clean.no_file", file=path.name),
            hint=text("clean.not_sound_hint" if there else "clean.no_file_hint"),
        )


class UnknownFormat(UsageError):
    """No such format can be written."""

    def __init__(self, suffix: str) -> None:
        super().__init__(text("clean.format", suffix=suffix or "?"), hint=text("clean.format_hint"))


class UnusualRate(UsageError):
    """The file states a sample rate that no sound has."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        super().__init__(text("clean.rate", file=path.name, rate=rate_hz), hint=text("clean.not_sound_hint"))


class TooManyChannels(UsageError):
    """There is no room for so many channels."""

    def __init__(self, suffix: str, channels: int, most: int | None = None) -> None:
        key = "clean.channels" if most is None else "clean.channels_read"
        super().__init__(text(key, suffix=suffix, channels=channels, most=most), hint=text(f"{key}_hint"))


class TooLong(UsageError):
    """A WAV file holds no more than 4 GiB."""

    def __init__(self) -> None:
        super().__init__(text("clean.too_long"), hint=text("clean.too_long_hint"))


class NotWritable(UsageError):
    """The result cannot be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            text("clean.not_writable", file=path.name, why=why), hint=text("clean.not_writable_hint")
        )


class AlreadyThere(UsageError):
    """The result exists already."""

    def __init__(self, path: Path) -> None:
        super().__init__(text("clean.there", file=path.name), hint=text("clean.there_hint"))


class SameFile(UsageError):
    """The result would take the place of the original."""

    def __init__(self, path: Path) -> None:
        super().__init__(text("clean.same", file=path.name), hint=text("clean.same_hint"))


class NoSuchChannel(UsageError):
    """The file does not have that channel."""

    def __init__(self, channel: int, channels: int) -> None:
        super().__init__(
            text("clean.channel", channel=channel, channels=channels), hint=text("clean.channel_hint")
        )


class ReportFormat(UsageError):
    """No report of that form can be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(text("clean.report_format", file=path.name), hint=text("clean.report_format_hint"))
