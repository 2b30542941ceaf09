"""What can be wrong with a recogniser."""

from __future__ import annotations

from models.errors import ModelError


class ModelUnusable(ModelError):
    """The model directory cannot be used."""


class LanguageUnknown(ModelUnusable):
    """The model does not know this language."""


class FetchFailed(ModelUnusable):
    """The model could not be fetched."""
