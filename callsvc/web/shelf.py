"""The models on the shelf, as an administrator sees them: what lies here, what is used for what, how each stands."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from callsvc.config import Settings
from callsvc.errors import NotFound
from callsvc.locale.said import of, worded
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose
from callsvc.web.shapes_models import ModelOut, ModelState, ModelUse, Suppressor
from models import suppressor as quiet
from models.recogniser import packaged
from models.recogniser.catalogue import catalogue
from models.recogniser.directory import check
from models.recogniser.errors import LanguageUnknown, ModelUnusable

NONE: Final = ModelState(state="none")
OWN_LICENCE: Final = "EUPL-1.2"


def here(settings: Settings) -> set[str]:
    """The names of the models that lie here, whole or not."""
    folder = models.folder(settings)
    fetched = (
        {one.name for one in folder.iterdir() if one.is_dir() and one.suffix != ".part"}
        if folder.is_dir()
        else set()
    )
    return fetched | {packaged.NAME}


def look(settings: Settings, name: str, lang: str) -> ModelState:
    """Look through every file of a model that lies here. Raises `NotFound` for one that does not."""
    if name not in here(settings):
        raise NotFound("There is no such model here.")
    return _look(models.place(settings, name), settings.transcripts.language, name, lang)


def _look(path: Path, language: str, name: str, lang: str) -> ModelState:
    try:
        card = check(path)
    except ModelUnusable as error:
        return ModelState(state="damaged", detail=of(error).sentence(lang))
    entry = catalogue().get(name)
    known = name == packaged.NAME if entry is None else card.sha256 == entry.weights
    fields = {"sha256": card.sha256, "known": known, "languages": len(card.languages)}
    try:
        card.require(language)
    except LanguageUnknown as error:
        return ModelState.model_validate({"state": "language", "detail": of(error).sentence(lang), **fields})
    return ModelState.model_validate({"state": "whole", **fields})


def uses(settings: Settings, lang: str) -> list[ModelUse]:
    """What each purpose is served by, looked through."""
    named = {
        Purpose.FINAL: settings.transcripts.model_dir,
        Purpose.LIVE: settings.transcripts.live_model_dir,
    }
    found = []
    for purpose in Purpose:
        path = models.directory(settings, purpose)
        name, state = None, NONE
        if path is not None:
            name = models.chosen(settings).get(purpose) if named[purpose] is None else path.name
            state = _look(path, settings.transcripts.language, name or "", lang)
        found.append(
            ModelUse(purpose=purpose, name=name, in_settings=named[purpose] is not None, found=state)
        )
    return found


def listing(settings: Settings) -> list[ModelOut]:
    """Every model that is known by name, and every other that lies here."""
    lies, used = here(settings), models.chosen(settings)
    folder = models.folder(settings)

    def used_for(name: str) -> list[Purpose]:
        return [purpose for purpose in Purpose if used.get(purpose) == name]

    found = [
        ModelOut(
            name=one.name,
            here=one.name in lies,
            partly=(folder / f"{one.name}.part").exists(),
            size_mb=one.size_mb,
            memory_mb=one.memory_mb,
            licence=one.licence,
            wer=list(one.wer),
            wer_confirmed=one.wer_confirmed,
            languages=one.languages,
            use=one.use,
            used_for=used_for(one.name),
        )
        for one in catalogue().values()
    ]
    own = [
        ModelOut(
            name=name,
            here=True,
            partly=False,
            size_mb=_size_mb(models.place(settings, name)),
            memory_mb=None,
            licence=OWN_LICENCE if name == packaged.NAME else None,
            wer=[],
            wer_confirmed=False,
            languages=None,
            use=None,
            used_for=used_for(name),
        )
        for name in sorted(lies - catalogue().keys())
    ]
    return found + own


def suppressor(settings: Settings, lang: str, weights: Path | None = None) -> Suppressor:
    """The suppressor's weights, held to their card."""
    path = weights or quiet.weights_path()
    try:
        stated = quiet.stated_sha256()
        status = path.stat()
        found = _sha256(path, status.st_size, status.st_mtime_ns)
    except quiet.WeightsError as error:
        state = ModelState(state="damaged", detail=of(error).sentence(lang))
    except OSError as error:
        state = ModelState(state="damaged", detail=f"{path.name}: {worded(error, lang)}")
    else:
        whole = found == stated
        state = ModelState(
            state="whole" if whole else "damaged", sha256=found, known=whole, detail="" if whole else stated
        )
    return Suppressor(name=quiet.Network.name, enabled=settings.suppressor.enabled, found=state)


@cache
def _sha256(path: Path, _size: int, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _size_mb(path: Path) -> int:
    try:
        return round(sum(one.stat().st_size for one in path.iterdir() if one.is_file()) / 1_000_000)
    except OSError:
        return 0
