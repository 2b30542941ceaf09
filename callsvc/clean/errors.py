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

NO_SOUND = "Give a sound file, such as WAV, FLAC, Ogg, MP3 or M4A."


class NotSound(UsageError):
    """The file holds no sound that can be read."""

    def __init__(self, path: Path) -> None:
        if path.is_file():
            super().__init__(
                "The file {file} holds no sound that can be read.",
                hint=NO_SOUND,
                file=path.name,
            )
        else:
            super().__init__(
                "There is no file {file}.", hint="Check the name and the directory.", file=path.name
            )


class UnknownFormat(UsageError):
    """No such format can be written."""

    def __init__(self, suffix: str) -> None:
        super().__init__(
            "The format {suffix} cannot be written.",
            hint="Let the result's name end in .wav, .flac, .ogg, .opus, .mp3 or .m4a.",
            suffix=suffix or "?",
        )


class UnusualRate(UsageError):
    """The file states a sample rate that no sound has."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        super().__init__(
            "The file {file} states a sample rate of {rate} Hz: no sound has that.",
            hint=NO_SOUND,
            file=path.name,
            rate=rate_hz,
        )


class TooManyChannels(UsageError):
    """There is no room for so many channels."""

    def __init__(self, suffix: str, channels: int, most: int | None = None) -> None:
        if most is None:
            super().__init__(
                "{suffix} cannot hold {channels} channels.",
                hint="Let the result's name end in .wav or .flac.",
                suffix=suffix,
                channels=channels,
            )
        else:
            super().__init__(
                "{channels} channels are more than can be cleaned: {most} at most.",
                hint="Take the channels apart first.",
                channels=channels,
                most=most,
            )


class TooLong(UsageError):
    """A WAV file holds no more than 4 GiB."""

    def __init__(self) -> None:
        super().__init__(
            "The result is larger than a WAV file can be (4 GiB).", hint="Let the result's name end in .flac."
        )


class NotWritable(UsageError):
    """The result cannot be written."""

    def __init__(self, path: Path, why: Exception) -> None:
        super().__init__(
            "The result {file} cannot be written: {why}.",
            hint="Check the directory, your right to write there, and the free space.",
            file=path.name,
            why=why,
        )


class AlreadyThere(UsageError):
    """The result exists already."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "The file {file} is already there.",
            hint="Choose another name, or overwrite it with --force.",
            file=path.name,
        )


class SameFile(UsageError):
    """The result would take the place of the original."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "The result {file} is the same file as the source.",
            hint="Choose another name: the original is never overwritten.",
            file=path.name,
        )


class NoSuchChannel(UsageError):
    """The file does not have that channel."""

    def __init__(self, channel: int, channels: int) -> None:
        super().__init__(
            "There is no channel {channel}: the file has {channels}.",
            hint="Channels count from 1. Without --channel all are cleaned.",
            channel=channel,
            channels=channels,
        )


class ReportFormat(UsageError):
    """No report of that form can be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "The report {file} cannot be written: .html and .json only.",
            hint="Let the report's name end in .html or .json.",
            file=path.name,
        )
