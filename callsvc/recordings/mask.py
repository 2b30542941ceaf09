"""The sealed mask: what was masked is kept under a key of its own that takes two people to open.

    K        the mask key of one recording, made with it and forgotten by the node at its end
    shares   K cut so that any two of them give it back and one gives nothing (Shamir, over GF(2^8))
    holders  each share is encrypted to one person's X25519 key; the private halves are theirs and never on the node

`mask.json` lies beside the recording: {"needs": 2, "recording": id, "shares": [{"holder", "x", "key", "sealed"}]}.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from callsvc.errors import ConfigurationError
from callsvc.recordings.cipher import new_key
from callsvc.recordings.errors import Damaged, KeyMissing

NEEDS: Final = 2
_POLYNOMIAL: Final = 0x11B


@dataclass(frozen=True, slots=True)
class MaskSeal:
    """A mask key, and the document that lets two holders get it back."""

    key: bytes
    document: bytes


def holder_id(key: X25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the 32 bytes of the key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def load_holders(files: Sequence[Path]) -> list[X25519PublicKey]:
    """The public keys of those who can open together; none for no files. Raises `ConfigurationError` for one."""
    if not files:
        return []
    found = []
    for file in files:
        try:
            key = serialization.load_pem_public_key(file.read_bytes())
        except (OSError, ValueError):
            key = None
        if not isinstance(key, X25519PublicKey):
            raise ConfigurationError("{file} holds no key of a holder that can be read.", file=file)
        found.append(key)
    if len({holder_id(key) for key in found}) != len(found) or len(found) < NEEDS:
        raise ConfigurationError(
            "A sealed mask needs two holders at least, each with a key of their own.",
            hint="callsvc mask holder makes one; name the public halves in media.mask_holders.",
        )
    return found


def new_seal(recording: UUID, holders: Sequence[X25519PublicKey]) -> MaskSeal:
    """A new mask key for this recording, shared out among the holders."""
    key = new_key()
    slope = os.urandom(len(key))
    shares = []
    for x, holder in enumerate(holders, start=1):
        share = bytes(s ^ _times(a, x) for s, a in zip(key, slope, strict=True))
        once = X25519PrivateKey.generate()
        public = once.public_key().public_bytes_raw()
        cipher = _share_cipher(once.exchange(holder), public, recording)
        shares.append(
            {
                "holder": holder_id(holder),
                "x": x,
                "key": base64.b64encode(public).decode(),
                "sealed": base64.b64encode(cipher.encrypt(bytes(12), share, bytes([x]))).decode(),
            }
        )
    content = {"needs": NEEDS, "recording": str(recording), "shares": shares}
    return MaskSeal(key, json.dumps(content, indent=1).encode() + b"\n")


def open_seal(document: bytes, recording: UUID, private: Sequence[X25519PrivateKey]) -> bytes:
    """The mask key, from two holders' private keys. Raises `KeyMissing` for fewer, `Damaged` for what is no seal."""
    points: dict[int, bytes] = {}
    try:
        content = json.loads(document)
        if content["recording"] != str(recording):
            raise Damaged("The mask's seal belongs to another recording.")
        mine = {holder_id(key.public_key()): key for key in private}
        for share in content["shares"]:
            if (key := mine.get(share["holder"])) is not None:
                public = base64.b64decode(share["key"])
                secret = key.exchange(X25519PublicKey.from_public_bytes(public))
                cipher, x = _share_cipher(secret, public, recording), int(share["x"])
                points[x] = cipher.decrypt(bytes(12), base64.b64decode(share["sealed"]), bytes([x]))
    except (KeyError, TypeError, ValueError, InvalidTag):
        raise Damaged("mask.json is not what was written when the recording was opened.") from None
    for (x1, y1), (x2, y2) in combinations(points.items(), 2):
        factor = _inverse(x1 ^ x2)
        return bytes(_times(_times(a, x2) ^ _times(b, x1), factor) for a, b in zip(y1, y2, strict=True))
    raise KeyMissing(
        "It takes {needs} of the mask's holders; {count} of them are here.", needs=NEEDS, count=len(points)
    )


def _share_cipher(secret: bytes, public: bytes, recording: UUID) -> AESGCM:
    # The key serves once: the other half of the agreement was made for this share alone.
    derived = HKDF(hashes.SHA256(), 32, salt=public, info=b"callsvc mask share 1" + recording.bytes)
    return AESGCM(derived.derive(secret))


def _times(a: int, b: int) -> int:
    """Multiplication in GF(2^8)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= _POLYNOMIAL
        b >>= 1
    return product


def _inverse(a: int) -> int:
    return next(b for b in range(1, 256) if _times(a, b) == 1)
