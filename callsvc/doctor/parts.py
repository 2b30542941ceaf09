"""Parts that a working service has, or can do without: suppressor, recogniser, screens, sound devices."""

from __future__ import annotations

import importlib.util
from importlib import resources
from pathlib import Path

from callsvc.config import Settings
from callsvc.doctor.finding import Finding, State, degraded, fault, good, optional
from callsvc.locale.said import of
from callsvc.transcripts import models as transcript_models
from models import recogniser as speech
from models import suppressor as quiet


def suppressor(settings: Settings, weights: Path | None = None) -> Finding:
    """Whether typing is taken out of what the caller hears, by the weights that their card speaks of."""
    place = weights or quiet.weights_path()
    try:
        network = quiet.load(place)
    except quiet.WeightsError:
        return fault("suppressor", "weights", path=place)
    if not settings.suppressor.enabled:
        return degraded("suppressor", "off")
    return good("suppressor", name=network.name, sha256=network.sha256[:12])


def recogniser(settings: Settings) -> Finding:
    """Whether there is a model that writes what was said."""
    path, language = transcript_models.directory(settings), settings.transcripts.language
    if path is None:
        return degraded("recogniser", "none")
    try:
        card = speech.check(path)
    except speech.ModelUnusable as error:
        return fault("recogniser", "unusable", path=path, detail=of(error))
    if language not in card.languages:
        return fault("recogniser", "language", name=card.name, language=language)
    return good("recogniser", name=card.name, mb=round(card.size / 1_000_000))


def screens(static: Path | None = None) -> Finding:
    """Whether the pages were built."""
    place = static or Path(str(resources.files("callsvc.web"))) / "static"
    if (place / "index.html").is_file():
        return good("screens")
    return fault("screens", "missing", path=place)


def sound_devices() -> Finding:
    """Whether `callsvc desk` can reach microphones and loudspeakers."""
    if importlib.util.find_spec("pyaudio") is None:
        return optional("devices", "none")
    return Finding("devices", "good", State.GOOD)
