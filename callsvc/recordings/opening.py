"""How a recording begins: its head, its key, the mask's seal; and the files that are made of them in a spool."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from audio.taps import Track
from callsvc.clock import Clock, isoformat
from callsvc.ids import new_id
from callsvc.recordings.cipher import RecordCipher, key_check, new_key
from callsvc.recordings.durable import sync_directory, write_whole
from callsvc.recordings.head import Continues, Head, genesis
from callsvc.recordings.layout import HEAD, KEY, MASK, REACHED, SEGMENTS
from callsvc.recordings.mask import MaskSeal, new_seal
from callsvc.recordings.segment_file import SegmentFile, Sync


@dataclass(frozen=True, slots=True)
class Opening:
    """What is drawn up before anything is written."""

    head: Head
    key: bytes
    mask: MaskSeal | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The files of a recording that has begun, and the spool that took them."""

    spool: Path
    directory: Path
    file: SegmentFile
    reached: mmap.mmap


def draw_up(
    call: UUID,
    profile: str,
    tracks: Sequence[Track],
    *,
    node: str,
    clock: Clock,
    mask_holders: Sequence[X25519PublicKey] = (),
    continues: Continues | None = None,
) -> Opening:
    """A new recording of a call, under a key of its own."""
    key, recording = new_key(), new_id()
    mask = new_seal(recording, mask_holders) if mask_holders else None
    head = Head(
        recording=recording,
        call=call,
        node=node,
        profile=profile,
        opened_at=isoformat(clock.utc_now()),
        tracks=tuple(tracks),
        key_check=key_check(key),
        mask=hashlib.sha256(mask.document).hexdigest() if mask else "",
        continues=continues,
    )
    return Opening(head, key, mask)


def begin(spool: Path, opening: Opening, wrapped: bytes, sync: Sync) -> Begun:
    """Make the directory, the head, the wrapped key and the empty segment file. Raises `OSError`."""
    head = opening.head
    raw = head.dump()
    directory = directory_for(spool, str(head.call), raw)
    write_whole(directory / KEY, wrapped)
    mask_cipher = None
    if opening.mask is not None:
        write_whole(directory / MASK, opening.mask.document)
        mask_cipher = RecordCipher(opening.mask.key, head.recording)
    reached = _reached(directory, 8 * len(head.tracks))
    write_whole(directory / HEAD, raw)
    cipher = RecordCipher(opening.key, head.recording)
    file = SegmentFile(directory / SEGMENTS, cipher, prev=genesis(raw), sync=sync, mask_cipher=mask_cipher)
    try:
        sync_directory(directory)
        sync_directory(directory.parent)
    except OSError:
        file.close()
        raise
    return Begun(spool, directory, file, reached)


def directory_for(spool: Path, call: str, head: bytes) -> Path:
    """`<call>`, or `<call>.2` and so on for a call that has a recording there already."""
    number = 1
    while True:
        directory = spool / (call if number == 1 else f"{call}.{number}")
        try:
            directory.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            there = directory / HEAD
            # Ours from an attempt that failed half way, or nobody's.
            if not there.exists() or there.read_bytes() == head:
                return directory
            number += 1
        else:
            return directory


def _reached(directory: Path, size: int) -> mmap.mmap:
    fd = os.open(directory / REACHED, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Room is taken now: touching a hole of a full disk through a mapping would kill the process.
        os.posix_fallocate(fd, 0, size)
        return mmap.mmap(fd, size)
    finally:
        os.close(fd)
