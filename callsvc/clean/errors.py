"""What can be wrong with a file that is to be cleaned: the error tree's branch of this feature.

UsageError
├── NotSound           no sound in it that can be read
├── UnknownFormat      no format of that name can be written
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
