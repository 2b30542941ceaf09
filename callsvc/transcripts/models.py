"""The models in use, or why there is none: one for the transcript, a smaller one for captions, side by side."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path

from callsvc.config import Settings
from callsvc.errors import MissingPart
from models.recogniser import packaged
from models.recogniser.directory import ModelCard, check
from models.recogniser.errors import ModelUnusable
from models.recogniser.whisper import Whisper
from models.recogniser.words import Recogniser

NONE_SET = "No model for speech to text is set."
NONE_HINT = "Get one with `callsvc models fetch` and `callsvc models use`, or set transcripts.model_dir."
FOLDER = "models"
IN_USE = "in-use.json"


class Purpose(StrEnum):
    """What a model is used for."""

    FINAL = "final"
    LIVE = "live"


def folder(settings: Settings) -> Path:
    """Where fetched models lie, each in a directory of its own."""
    return settings.data_dir / FOLDER


def chosen(settings: Settings) -> dict[Purpose, str]:
    """The names that `callsvc models use` noted."""
    try:
        found = json.loads((folder(settings) / IN_USE).read_text(encoding="utf-8"))
        return {Purpose(key): str(value) for key, value in found.items() if key in set(Purpose)}
    except (OSError, ValueError, AttributeError):
        return {}


def choose(settings: Settings, purpose: Purpose, name: str) -> None:
    """Note a model for a purpose; workers take it up within a minute."""
    noted = chosen(settings) | {purpose: name}
    target = folder(settings) / IN_USE
    part = target.with_suffix(".part")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.write_text(json.dumps(noted, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.rename(target)


def directory(settings: Settings, purpose: Purpose = Purpose.FINAL) -> Path | None:
    """The model's directory: the one in the settings, else the one that was chosen."""
    named = (
        settings.transcripts.model_dir if purpose is Purpose.FINAL else settings.transcripts.live_model_dir
    )
    if named is None and (name := chosen(settings).get(purpose)):
        return place(settings, name)
    return named


def place(settings: Settings, name: str) -> Path:
    """Where a model of this name lies, if it is here: among the fetched ones, or in the program."""
    return packaged.directory() if name == packaged.NAME else folder(settings) / name


def card(settings: Settings, purpose: Purpose = Purpose.FINAL) -> ModelCard:
    """The model for this purpose, looked through. Raises `MissingPart` with what is wrong and what to do."""
    path = directory(settings, purpose)
    if path is None:
        raise MissingPart(NONE_SET, hint=NONE_HINT)
    try:
        found = check(path)
        found.require(settings.transcripts.language)
    except ModelUnusable as error:
        raise MissingPart.of(error) from None
    return found


def languages(settings: Settings) -> list[str]:
    """Languages that may be written, the expected one first."""
    expected = settings.transcripts.language
    return [expected, *(one for one in settings.transcripts.other_languages if one != expected)]


def load(found: ModelCard) -> Recogniser:
    """The model in memory; one of it a process."""
    return _load(found.path, found.sha256)


@cache
def _load(path: Path, _sha256: str) -> Recogniser:
    return Whisper(check(path))
