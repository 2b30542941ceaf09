"""The key of one recording, and what it does: AES-256-GCM over each record's payload.

The header is authenticated with the payload, and through its `prev` so is everything before it; the recording's id
is authenticated too. A record cannot be moved, renumbered or carried over to another recording.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callsvc.recordings.errors import Damaged
from callsvc.recordings.layout import TAG_BYTES, Header

KEY_BYTES = 32
SALT_BYTES = 8
_CHECK = b"callsvc recording key check 1"


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def key_check(key: bytes) -> str:
    """A digest that stands in the head, so that a key of another recording is told apart from damage."""
    return hashlib.sha256(_CHECK + key).hexdigest()


class RecordCipher:
    """Encrypts and decrypts records of one recording."""

    def __init__(self, key: bytes, recording: UUID) -> None:
        self._aead = AESGCM(key)
        self._recording = recording.bytes

    def encrypt(self, header: Header, plain: bytes) -> bytes:
        """The whole record; `size` and `salt` of the header are filled in here."""
        header = replace(header, size=len(plain) + TAG_BYTES, salt=os.urandom(SALT_BYTES))
        raw = header.pack()
        return raw + self._aead.encrypt(_nonce(header), plain, raw + self._recording)

    def decrypt(self, header: Header, payload: bytes) -> bytes:
        """The plain payload; raises `Damaged` when header or payload is not what was encrypted."""
        try:
            return self._aead.decrypt(_nonce(header), payload, header.pack() + self._recording)
        except InvalidTag:
            raise Damaged(
                "Record {record} does not decrypt: it was changed, or has another key.", record=header.n
            ) from None


def _nonce(header: Header) -> bytes:
    return header.n.to_bytes(4, "little") + header.salt
