"""Moves a sealed recording from the spool to the object store, and frees the spool only when the copy is verified.

    spool ─ verify ─► copy file by file, the manifest last ─► read back and verify ─► books ─► free the spool

May be killed anywhere and run again: what is there already is kept, and the spool goes last.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from callsvc.errors import Unavailable, VerificationFailed
from callsvc.locale.said import Several
from callsvc.recordings.durable import sync_directory
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import MANIFEST, MAY_BE_THERE, SEALED_FILES
from callsvc.recordings.manifest import Manifest, load_manifest
from callsvc.recordings.objects import Objects, StoredSource, prefix_of
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify

FREED = ".freed-"


def archive(directory: Path, store: Objects, keys: KeyRing) -> tuple[str, Manifest]:
    """Copy a sealed recording and verify the copy. Returns where it lies now, and its manifest.

    Raises `VerificationFailed` when the spool's recording is not what was sealed; `Unavailable` when the store is away
    or gives back something else than it was given: then nothing is lost and it may be tried again.
    """
    source = DirectorySource(directory)
    report = verify(source, trusted=keys.trusted())
    if not report.ok:
        raise VerificationFailed("{findings}", findings=Several(report.findings, " "))
    manifest = load_manifest(source.whole(MANIFEST))
    prefix = prefix_of(manifest.recording)
    copy = StoredSource(store, prefix)
    names = [
        name for name in (*SEALED_FILES, *MAY_BE_THERE) if name != MANIFEST and (directory / name).exists()
    ]
    for name in (*names, MANIFEST):
        if not _same(copy, name, directory / name):
            store.put(f"{prefix}/{name}", directory / name)
    try:
        check_copy(store, prefix, keys)
    except VerificationFailed:
        # The spool still has it: the next attempt finds what differs and stores it anew.
        raise Unavailable("The copy in the object store is not what was copied.") from None
    return prefix, manifest


def check_copy(store: Objects, prefix: str, keys: KeyRing) -> Manifest:
    """Read a stored recording back, every byte, and check it. Raises `VerificationFailed`."""
    copy = StoredSource(store, prefix)
    report = verify(copy, trusted=keys.trusted())
    if not report.ok:
        raise VerificationFailed("{findings}", findings=Several(report.findings, " "))
    return load_manifest(copy.whole(MANIFEST))


def free(directory: Path) -> None:
    """Remove a recording from the spool. Its name goes first, so that half of it is never taken for an orphan."""
    gone = directory.with_name(FREED + directory.name)
    if directory.exists():
        os.replace(directory, gone)
        sync_directory(gone.parent)
    shutil.rmtree(gone, ignore_errors=True)


def sweep(spool: Path) -> None:
    """Finish what `free` had begun when it was killed."""
    for gone in spool.glob(FREED + "*"):
        shutil.rmtree(gone, ignore_errors=True)


def _same(copy: StoredSource, name: str, file: Path) -> bool:
    """Whether the store has this very file from an earlier attempt."""
    try:
        if copy.size(name) != file.stat().st_size:
            return False
    except NoRecording:
        return False
    return hashlib.sha256(copy.whole(name)).digest() == hashlib.sha256(file.read_bytes()).digest()
