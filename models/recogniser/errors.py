"""What can be wrong with a recogniser."""

from __future__ import annotations


class ModelUnusable(Exception):
    """The model directory cannot be used."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class LanguageUnknown(ModelUnusable):
    """The model does not know this language."""


class FetchFailed(ModelUnusable):
    """The model could not be fetched."""
