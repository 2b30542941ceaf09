"""What is in force of something that people may edit: what comes with the service, until something else is put there.

Whoever uses it calls it, each time anew. What is put there was read and found whole by the same `read`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Generic, TypeVar

T = TypeVar("T")


class InForce(Generic[T]):
    """One such thing: a text in a file of a package, and what reads it. `read` raises pydantic's `ValidationError`."""

    def __init__(self, package: str, file: str, read: Callable[[str], T]) -> None:
        self._package = package
        self._file = file
        self._read = read
        self._packaged: T | None = None
        self._put: T | None = None

    def __call__(self) -> T:
        if self._put is not None:
            return self._put
        if self._packaged is None:
            self._packaged = self._read(self.packaged())
        return self._packaged

    def packaged(self) -> str:
        """The text that comes with this version."""
        return resources.files(self._package).joinpath(self._file).read_text(encoding="utf-8")

    def read(self, text: str) -> T:
        """What it would be, were this text in force."""
        return self._read(text)

    def put(self, text: str | None) -> None:
        """Put a text in force; None: what comes with this version."""
        self._put = None if text is None else self._read(text)
