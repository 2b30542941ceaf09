"""Files that are either the old one or the new one, whole, whatever happens."""

from __future__ import annotations

import os
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Make names in `directory` survive a loss of power."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path` in one step, safe on disk when this returns."""
    part = path.with_name(path.name + ".part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(part, path)
    sync_directory(path.parent)


def write_all(fd: int, content: bytes) -> None:
    """Write every byte; a short write (a disk that fills up) goes on until the error comes."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
