"""The model in use, or why there is none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from callsvc.config import Settings
from callsvc.errors import MissingPart
from models.recogniser.directory import ModelCard, check
from models.recogniser.errors import ModelUnusable
from models.recogniser.whisper import Whisper
from models.recogniser.words import Recogniser

NONE_SET = "No model for speech to text is set."
NONE_HINT = "Set transcripts.model_dir to the directory of a faster-whisper model, such as KB-Whisper."


def card(settings: Settings) -> ModelCard:
    """The model that the settings name, looked through. Raises `MissingPart` with what is wrong and what to do."""
    directory = settings.transcripts.model_dir
    if directory is None:
        raise MissingPart(NONE_SET, hint=NONE_HINT)
    try:
        found = check(directory)
        found.require(settings.transcripts.language)
    except ModelUnusable as error:
        raise MissingPart(error.message, hint=error.hint) from None
    return found


def load(found: ModelCard) -> Recogniser:
    """The model in memory; one of it a process."""
    return _load(found.path, found.sha256)


@cache
def _load(path: Path, _sha256: str) -> Recogniser:
    return Whisper(check(path))
