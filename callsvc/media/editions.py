"""What was put in force on the screens, on this node: taken when it is whole, kept on its disk, told by its version.

the broker ──(signed, whole, sensible?)──► in force, and written to data_dir/in-force/<kind>.json
            └─(no)──► refused, by version and reason; what was in force stays
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from callsvc import logs
from callsvc.bus import edition
from callsvc.bus.edition import MAX_WHY, Edition, Refusal, Standing
from callsvc.errors import MissingPart, UsageError
from callsvc.locale import said, unfit
from callsvc.locale.said import Said
from callsvc.recordings.durable import write_whole

DIRECTORY: Final = "in-force"
log = logs.get("media")


@dataclass(slots=True)
class Kind:
    """One kind of text that this node goes by."""

    take: Callable[[str], None]
    """Puts a text in force, or raises `ValueError` and leaves what is."""
    settings: bool = False
    """Whether a file of the settings goes before what the screens say."""
    edition: Edition | None = None
    refused: Refusal | None = None

    @property
    def standing(self) -> Standing:
        if self.settings:
            return Standing(source="settings", refused=self.refused)
        if self.edition is None:
            return Standing(refused=self.refused)
        return Standing(self.edition.version, self.edition.sha256, "screens", self.refused)


class Editions:
    """All kinds of one node; any thread may use it, one at a time. `key` gives what editions are checked with, and raises `MissingPart` until there is one."""

    def __init__(
        self, directory: Path, key: Callable[[], Ed25519PublicKey], kinds: Mapping[str, Kind]
    ) -> None:
        self._directory = directory / DIRECTORY
        self._key = key
        self._kinds = kinds
        self._waiting: dict[str, bytes] = {}
        self._lock = threading.RLock()
        for name, kind in kinds.items():
            self._remember(name, kind)

    def take(self, payload: bytes) -> None:
        """An edition came from the broker. Raises nothing; may wait for the disk."""
        with self._lock:
            self._take(payload)

    def _take(self, payload: bytes) -> None:
        try:
            found = edition.load(payload)
        except UsageError as error:
            log.error("edition_refused", why=error.message)
            return
        kind = self._kinds.get(found.kind)
        if kind is None:
            return  # of a later version of the service
        self._waiting.pop(found.kind, None)
        try:
            found.check(self._key())
            kind.take(found.body)
        except MissingPart as error:
            # The web process makes the key at its first start; what it says then is taken as soon as it is there.
            self._waiting[found.kind] = payload
            self._refuse(kind, found, error.said)
        except (UsageError, ValueError) as error:
            self._refuse(kind, found, _why(error))
        else:
            if kind.edition != found:
                log.info("edition_in_force", kind=found.kind, version=found.version)
                self._write(found.kind, payload)
            kind.edition, kind.refused = found, None

    def standing(self) -> dict[str, Standing]:
        """What is gone by, kind by kind. What waits for the key is tried again."""
        with self._lock:
            for payload in list(self._waiting.values()):
                self._take(payload)
            return {name: kind.standing for name, kind in self._kinds.items()}

    @property
    def refused(self) -> bool:
        """Whether anything that was to be in force is not."""
        return any(kind.refused for kind in self._kinds.values())

    def _refuse(self, kind: Kind, found: Edition, why: Said) -> None:
        told = why.dump()
        refusal = Refusal(found.version, told if len(told) <= MAX_WHY else why.sentence()[:MAX_WHY])
        if refusal != kind.refused:
            log.error("edition_refused", kind=found.kind, version=found.version, why=why.sentence())
        kind.refused = refusal

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _write(self, name: str, payload: bytes) -> None:
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._file(name), payload)
        except OSError as error:
            # It is in force all the same; only a start without the broker would not know it.
            log.warning("edition_not_remembered", kind=name, error=type(error).__name__)

    def _remember(self, name: str, kind: Kind) -> None:
        if not self._file(name).exists():
            return
        try:
            found = edition.load(self._file(name).read_bytes())  # checked before it was written
            kind.take(found.body)
        except (OSError, UsageError, ValueError) as error:
            log.error("edition_forgotten", kind=name, error=type(error).__name__)
        else:
            kind.edition = found


def _why(error: Exception) -> Said:
    if isinstance(error, ValidationError):
        return Said("{faults}", {"faults": unfit.said(error)})
    return unfit.unreadable(error) if isinstance(error, TOMLDecodeError) else said.of(error)
