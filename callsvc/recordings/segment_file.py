"""The file that grows: records are numbered, encrypted, chained, written and synced; all of a batch or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from callsvc.recordings.cipher import RecordCipher
from callsvc.recordings.durable import write_all
from callsvc.recordings.layout import HEADER_BYTES, WHOLE, Coding, Header, Kind, link

Sync = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has its number."""

    kind: Kind
    coding: Coding
    plain: bytes
    track: int = WHOLE
    cause: int = 0
    start: int = 0
    length: int = 0
    masked: bool = False


class SegmentFile:
    """Appends to `path` from `offset` on; whatever lies behind it is cut off first."""

    def __init__(
        self,
        path: Path,
        cipher: RecordCipher,
        *,
        prev: bytes,
        n: int = 0,
        offset: int = 0,
        headers: Sequence[bytes] = (),
        sync: Sync = os.fdatasync,
        mask_cipher: RecordCipher | None = None,
    ) -> None:
        self._cipher = cipher
        self._mask_cipher = mask_cipher
        self._sync = sync
        self.link = prev
        self.n = n
        self.offset = offset
        self.headers = list(headers)
        self.syncs = 0
        self._torn = True
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def append(self, drafts: Sequence[Draft]) -> None:
        """Write the batch and sync it. Raises `OSError`, and then the file is as it was before."""
        prev, n = self.link, self.n
        records: list[bytes] = []
        headers: list[bytes] = []
        for draft in drafts:
            header = Header(
                draft.kind, draft.track, draft.coding, draft.cause, n, 0, draft.start, draft.length, b"", prev
            )
            cipher = self._mask_cipher if draft.masked and self._mask_cipher else self._cipher
            record = cipher.encrypt(header, draft.plain)
            records.append(record)
            headers.append(record[:HEADER_BYTES])
            prev, n = link(record), n + 1
        batch = b"".join(records)
        if self._torn:
            self._cut()
        self._torn = True
        try:
            write_all(self._fd, batch)
            self._sync(self._fd)
        except OSError:
            # What cannot be taken back now is cut off before the next batch, or by recovery.
            with suppress(OSError):
                self._cut()
            raise
        self._torn = False
        self.syncs += 1
        self.headers += headers
        self.link, self.n = prev, n
        self.offset += len(batch)

    def _cut(self) -> None:
        os.ftruncate(self._fd, self.offset)
        os.lseek(self._fd, self.offset, os.SEEK_SET)
        self._torn = False

    def check_name(self) -> None:
        """Raise `OSError` when the file has lost its name: what is written to it would be gone with this process."""
        mine = os.fstat(self._fd)
        named = os.stat(self._path)
        if (mine.st_dev, mine.st_ino) != (named.st_dev, named.st_ino):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def copy(self, target: Path) -> None:
        """Write what is safe in this file to another one, from the open file: its name may be gone."""
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            at = 0
            while at < self.offset and (block := os.pread(self._fd, min(1 << 20, self.offset - at), at)):
                write_all(fd, block)
                at += len(block)
            os.fsync(fd)
        finally:
            os.close(fd)

    def digest(self) -> str:
        """SHA-256 of the whole file as it lies on disk, in hexadecimal."""
        whole = hashlib.sha256()
        at = 0
        while at < self.offset:
            block = os.pread(self._fd, min(1 << 20, self.offset - at), at)
            if not block:
                raise OSError("the segment file is shorter than what was written to it")
            whole.update(block)
            at += len(block)
        return whole.hexdigest()

    def close(self) -> None:
        os.close(self._fd)
