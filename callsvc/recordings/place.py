"""Where a recording lies now: in the spool while it is young, in the object store after that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from callsvc.config import Settings
from callsvc.errors import CallsvcError
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.head import load_head
from callsvc.recordings.layout import HEAD, MANIFEST
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import RECORDINGS, StoredSource, objects, prefix_of
from callsvc.recordings.source import DirectorySource, Source

SPOOL = "spool"


def find(settings: Settings, *, call: str, recording: str, location: str | None = None) -> Source:
    """The files of a recording; `location` is what the database says of one that is archived.

    Raises `NoRecording`. Ask again when a source that was found earlier raises it: the recording may have moved.
    """
    if location:
        return StoredSource(objects(settings), location)
    directory = spool_directory(settings, call, recording)
    if directory is not None:
        return DirectorySource(directory)
    source = StoredSource(objects(settings), prefix_of(recording))
    source.names()
    return source


def spools(settings: Settings) -> list[Path]:
    """Where recordings are made: the spool, and the second one if there is one."""
    second = settings.media.second_spool
    return [settings.data_dir / SPOOL, *([second] if second else [])]


def spool_directory(settings: Settings, call: str, recording: str) -> Path | None:
    """Where a recording lies in a spool, if it does."""
    return next((found for found in in_spools(settings, call) if _recording(found) == recording), None)


def of_call(settings: Settings, call: str) -> list[Source]:
    """Every recording of a call, wherever it lies, without asking the database. Raises `NoRecording` for none."""
    found: list[Source] = [DirectorySource(directory) for directory in in_spools(settings, call)]
    store = objects(settings)
    for name in store.names(RECORDINGS):
        if name.endswith("/" + MANIFEST):
            source = StoredSource(store, name.removesuffix("/" + MANIFEST))
            try:
                mine = load_manifest(source.whole(MANIFEST)).call == call
            except CallsvcError:
                continue
            if mine:
                found.append(source)
    if not found:
        raise NoRecording("There is no recording of that call in the spool or the object store.")
    return found


def in_spools(settings: Settings, call: str) -> Iterator[Path]:
    """The directories of a call: the spool's, then the second spool's, oldest first."""
    for spool in spools(settings):
        number = 1
        while True:
            directory = spool / (call if number == 1 else f"{call}.{number}")
            if directory.is_dir():
                yield directory
            elif number > 1:
                break
            number += 1


def _recording(directory: Path) -> str:
    try:
        return str(load_head((directory / HEAD).read_bytes()).recording)
    except (CallsvcError, OSError):
        return ""
