"""Identifiers: what they look like and how they are checked at the door."""

from __future__ import annotations

from uuid import UUID, uuid4

from callsvc.errors import UsageError


def new_id() -> UUID:
    """A random identifier (RFC 9562, version 4) that says nothing about what it names."""
    return uuid4()


def parse_id(text: str) -> UUID:
    """The identifier in its one canonical spelling.

    Anything else (upper case, braces, a path) raises `UsageError`, so that an id may become a file name or a topic.
    """
    try:
        parsed = UUID(text)
    except ValueError:
        raise UsageError(
            "That is no identifier.", hint="Copy the whole id, as 8-4-4-4-12 characters."
        ) from None
    if str(parsed) != text:
        raise UsageError("That is no identifier.", hint="Copy the whole id, in lower case.")
    return parsed
