"""What is done with keys of recordings that lie still: wrapped anew after a rotation, or destroyed for good."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from callsvc.clock import Clock, isoformat
from callsvc.config import Settings
from callsvc.errors import CallsvcError, UsageError
from callsvc.recordings import place
from callsvc.recordings.durable import write_whole
from callsvc.recordings.errors import KeyDestroyed, NoRecording
from callsvc.recordings.head import dump_key, load_key
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import KEY, MANIFEST
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import RECORDINGS, Objects, StoredSource, objects


class Place(Protocol):
    """One recording's files, and the one of them that may be replaced."""

    @property
    def label(self) -> str: ...
    def whole(self, name: str) -> bytes: ...
    def replace_key(self, content: bytes) -> bool:
        """Put another key file there; True when the place keeps the one before, too."""


class InSpool:
    """A recording in a spool directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def label(self) -> str:
        return str(self._directory)

    def whole(self, name: str) -> bytes:
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            raise NoRecording("{name} is not in {directory}.", name=name, directory=self._directory) from None

    def replace_key(self, content: bytes) -> bool:
        write_whole(self._directory / KEY, content)
        return False


class InStore:
    """A recording in the object store."""

    def __init__(self, store: Objects, prefix: str) -> None:
        self._store, self._prefix = store, prefix
        self._source = StoredSource(store, prefix)

    @property
    def label(self) -> str:
        return self._prefix

    def whole(self, name: str) -> bytes:
        return self._source.whole(name)

    def replace_key(self, content: bytes) -> bool:
        return self._store.put(f"{self._prefix}/{KEY}", content)


@dataclass(slots=True)
class Wrapped:
    """What came of wrapping anew: how many, and under which keys the recordings are now."""

    anew: int
    by: collections.Counter[str]
    failed: list[str]


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The recordings whose keys are gone, and those of which the store keeps an earlier version of the key file."""

    recordings: list[str]
    versions: list[str]


def places(settings: Settings) -> Iterator[Place]:
    """Every recording there is: the spool first, so that one that moves meanwhile is not passed by."""
    for spool in place.spools(settings):
        if spool.is_dir():
            for directory in sorted(d for d in spool.iterdir() if (d / KEY).exists()):
                yield InSpool(directory)
    store = objects(settings)
    for name in store.names(RECORDINGS):
        if name.endswith("/" + KEY):
            yield InStore(store, name.removesuffix("/" + KEY))


def wrap_anew(settings: Settings, keys: KeyRing) -> Wrapped:
    """Put every recording's key under the installation's current one. The sound is not touched."""
    done = Wrapped(0, collections.Counter(), [])
    for found in places(settings):
        try:
            wrapped = load_key(found.whole(KEY))
            if wrapped.by != keys.wraps_with:
                wrapped = keys.wrap(keys.unwrap(wrapped))
                found.replace_key(dump_key(wrapped))
                done.anew += 1
            done.by[wrapped.by] += 1
        except KeyDestroyed:
            continue
        except CallsvcError:
            done.failed.append(found.label)
    return done


def destroy(settings: Settings, call: str, clock: Clock) -> Destroyed:
    """Destroy the keys of a call's recordings: nobody can hear them again.

    Where the store keeps earlier versions, only new keys of the installation end those: `wrap_anew` after a rotation.
    Raises `NoRecording` for a call without one, `UsageError` for one that still runs.
    """
    mine: list[tuple[Place, str]] = []
    for found in places(settings):
        try:
            manifest = load_manifest(found.whole(MANIFEST))
        except NoRecording:
            if isinstance(found, InSpool) and found.label.rsplit("/", 1)[-1].startswith(call):
                raise UsageError(
                    "The call is still being recorded.", hint="Wait until it has ended."
                ) from None
            continue
        except CallsvcError:
            continue
        if manifest.call == call:
            mine.append((found, manifest.recording))
    if not mine:
        raise NoRecording("There is no recording of that call in the spool or the object store.")
    note = json.dumps({"destroyed_at": isoformat(clock.utc_now())}).encode() + b"\n"
    versions = {recording for found, recording in mine if found.replace_key(note)}
    return Destroyed(sorted({recording for _, recording in mine}), sorted(versions))
