"""The pair of keys behind the tokens: `keys/token.pem` for whoever issues, `keys/token.pub` for media nodes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from callsvc.errors import MissingPart

PRIVATE = "token.pem"
PUBLIC = "token.pub"


def private_key(directory: Path) -> Ed25519PrivateKey:
    """The issuing key, made at first use together with its public half."""
    file = directory / PRIVATE
    if not file.exists():
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _place(file, fresh, 0o600)
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):
        raise MissingPart(
            "{file} holds no key that can be read.",
            hint="Restore it from the backup, or remove it together with token.pub and start all parts anew.",
            file=file,
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise MissingPart("{file} holds no Ed25519 key.", file=file)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not (directory / PUBLIC).exists():
        _place(directory / PUBLIC, public, 0o644)
    return key


def public_key(directory: Path) -> Ed25519PublicKey:
    """The verifying key; raises `MissingPart` when nobody has made the pair yet."""
    file = directory / PUBLIC
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise MissingPart(
            "The key that tokens are checked with is missing.",
            hint="Start the web process once, or copy its {public} to {file}.",
            public=PUBLIC,
            file=file,
        )
    return key


def _place(file: Path, content: bytes, mode: int) -> None:
    """Write a file in one piece; whoever comes first wins."""
    mine = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(mine, file)
        except FileExistsError:
            return
    finally:
        mine.unlink()
