"""Where a recording's files lie: a directory, or a prefix in an object store. Read only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from callsvc.recordings.errors import NoRecording


class Source(Protocol):
    """The files of one recording. Safe to use from several threads."""

    @property
    def label(self) -> str:
        """What to call this place in a message."""

    def names(self) -> list[str]:
        """The names of all files, sorted."""

    def size(self, name: str) -> int:
        """Bytes; raises `NoRecording` when the file is not there."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end."""

    def whole(self, name: str) -> bytes:
        """All of a file; raises `NoRecording` when it is not there."""


class DirectorySource:
    """A recording in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def label(self) -> str:
        return str(self._directory)

    def names(self) -> list[str]:
        if not self._directory.is_dir():
            raise NoRecording("There is no recording in {directory}.", directory=self._directory)
        return sorted(entry.name for entry in self._directory.iterdir())

    def size(self, name: str) -> int:
        try:
            return (self._directory / name).stat().st_size
        except FileNotFoundError:
            raise NoRecording("{name} is not in {directory}.", name=name, directory=self._directory) from None

    def read(self, name: str, offset: int, length: int) -> bytes:
        try:
            fd = os.open(self._directory / name, os.O_RDONLY)
        except FileNotFoundError:
            raise NoRecording("{name} is not in {directory}.", name=name, directory=self._directory) from None
        try:
            return os.pread(fd, length, offset)
        finally:
            os.close(fd)

    def whole(self, name: str) -> bytes:
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            raise NoRecording("{name} is not in {directory}.", name=name, directory=self._directory) from None
