"""A device that holds passkeys, in software, and that lies where a test wants it to."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, MADE = 0x01, 0x04, 0x40
Question = dict[str, Any]
Body = dict[str, Any]


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def raw(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


class Authenticator:
    """One passkey. `origin` is where the page that asks it says that it is from."""

    def __init__(self, origin: str, *, counts: bool = True) -> None:
        self.origin = origin
        self.counts = counts
        self.count = 0
        self.id = secrets.token_bytes(32)
        self.user_handle = b""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(
        self, question: Question, *, label: str = "Arbetsdatorn", verified: bool = True, origin: str = ""
    ) -> Body:
        """What a browser would send of the new passkey."""
        self.user_handle = raw(question["user_id"])
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._public()
        data = self._data(question["rp_id"], MADE, verified=verified) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        told = _client_data("webauthn.create", question["challenge"], origin or self.origin)
        return {
            "label": label,
            "id": text(self.id),
            "client_data": text(told),
            "attestation": text(attestation),
            "transports": ["internal"],
        }

    def answer(
        self,
        question: Question,
        *,
        origin: str = "",
        rp_id: str = "",
        verified: bool = True,
        challenge: str = "",
        kind: str = "webauthn.get",
        count: int | None = None,
        signed: bool = True,
        user_handle: bytes | None = None,
    ) -> Body:
        """What a browser would send of its answer."""
        if count is not None:
            self.count = count
        elif self.counts:
            self.count += 1
        data = self._data(rp_id or question["rp_id"], 0, verified=verified)
        told = _client_data(kind, challenge or question["challenge"], origin or self.origin)
        base = data + hashlib.sha256(told).digest()
        signature = self._key.sign(base if signed else base + b"!", ec.ECDSA(hashes.SHA256()))
        return {
            "id": text(self.id),
            "client_data": text(told),
            "authenticator_data": text(data),
            "signature": text(signature),
            "user_handle": text(user_handle or self.user_handle),
        }

    def _data(self, rp_id: str, flags: int, *, verified: bool) -> bytes:
        flags |= PRESENT | (VERIFIED if verified else 0)
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _public(self) -> bytes:
        """The public key in COSE (RFC 9053): EC2, ES256, P-256, x, y."""
        numbers = self._key.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    told = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
    return json.dumps(told).encode()
