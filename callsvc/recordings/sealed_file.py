"""A file that waits in the object store, encrypted under a key of its own: whoever destroys the key destroys the file.

Frames of a mebibyte, each its nonce and AES-256-GCM over the content. The number of the frame and whether it is the last
are authenticated, so that none can be moved, dropped or cut off unseen.

Not the records that a recording is made of (callsvc.recordings.cipher): those are written while a call runs, are chained so
that they can be checked without the key, and tell of tracks and time. A finished file has neither. From its length alone
follow the places of its frames and the length of what is stored, so that whoever fetches it is told at once how much comes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callsvc.recordings.errors import Damaged

FRAME: Final = 1 << 20
NONCE: Final = 12
TAG: Final = 16
_LABEL: Final = b"callsvc sealed file 1"


def sealed_size(size: int) -> int:
    """Bytes of the encrypted file."""
    return size + frames(size) * (NONCE + TAG)


def frames(size: int) -> int:
    """How many frames so many bytes make; one for none."""
    return max(1, -(-size // FRAME))


def seal(plain: Path, sealed: Path, key: bytes) -> None:
    """Encrypt `plain` into the new file `sealed`."""
    cipher, last = AESGCM(key), frames(plain.stat().st_size) - 1
    with plain.open("rb") as source, sealed.open("xb") as target:
        for n in range(last + 1):
            nonce = os.urandom(NONCE)
            target.write(nonce + cipher.encrypt(nonce, source.read(FRAME), _place(n, n == last)))


def unseal(read: Callable[[int, int], bytes], size: int, key: bytes) -> Iterator[bytes]:
    """The content of a file that was `size` long, frame by frame; `read(offset, length)` gives what was encrypted.

    Raises `Damaged` when it is not what was sealed.
    """
    cipher, last = AESGCM(key), frames(size) - 1
    for n in range(last + 1):
        offset = n * (NONCE + FRAME + TAG)
        frame = read(offset, min(NONCE + FRAME + TAG, sealed_size(size) - offset))
        try:
            yield cipher.decrypt(frame[:NONCE], frame[NONCE:], _place(n, n == last))
        except (InvalidTag, ValueError):  # the latter where less is left than a nonce and a tag
            raise Damaged(
                "Frame {n} does not decrypt: it was changed or cut off, or has another key.", n=n
            ) from None


def _place(n: int, last: bool) -> bytes:
    return _LABEL + n.to_bytes(8, "little") + bytes([last])
