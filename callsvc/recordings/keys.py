"""The installation's keys: one that wraps every recording's own key, and one that signs manifests.

    data_dir/keys/installation.json   {"current": id, "keys": {id: 32 bytes}}   AES-256 key-wrapping keys (RFC 3394)
    data_dir/keys/signing.pem         Ed25519, PKCS 8
    data_dir/keys/signing-<id>.pub    the public halves, those of earlier signing keys among them

Losing installation.json is losing every recording. `KeyRing` is the port. Behind the same methods stand a systemd
credential (`credential_keys`) and a security module (`module_keys`); `key_source.key_ring` opens the one in the settings.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from callsvc.errors import ConfigurationError
from callsvc.recordings.durable import sync_directory, write_whole
from callsvc.recordings.errors import KeyMissing


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A recording's key under the installation's key `by`."""

    by: str
    wrapped: bytes


class KeyRing(Protocol):
    """What recordings ask of the place that holds the keys."""

    def wrap(self, key: bytes) -> WrappedKey:
        """The key under the installation's current key."""

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """The key back; raises `KeyMissing` when the wrapping key is not here or is another."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""

    @property
    def signer(self) -> str:
        """The id of the key that signs now."""

    @property
    def wraps_with(self) -> str:
        """The id of the key that wraps now."""

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        """The public keys of this installation, by id: the one that signs now and all before it."""


def public_key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the 32 bytes of the key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The key as openssl reads it."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def published(directory: Path) -> dict[str, Ed25519PublicKey]:
    """The public keys that lie in a directory, by id."""
    found = {}
    for path in sorted(directory.glob("signing-*.pub")):
        key = serialization.load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            found[public_key_id(key)] = key
    return found


def publish(directory: Path, key: Ed25519PublicKey) -> None:
    """Put a public key where `published` finds it."""
    path = directory / f"signing-{public_key_id(key)}.pub"
    if not path.exists():
        write_whole(path, public_pem(key))


class HeldKeys:
    """Keys that lie in this process's memory, wherever they came from."""

    def __init__(self) -> None:
        self._wrapping: dict[str, bytes] = {}
        self._current = ""
        self._signing: Ed25519PrivateKey

    def wrap(self, key: bytes) -> WrappedKey:
        return WrappedKey(self._current, aes_key_wrap(self._wrapping[self._current], key))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        if wrapped.by not in self._wrapping:
            self._read()
        try:
            return aes_key_unwrap(self._wrapping[wrapped.by], wrapped.wrapped)
        except (KeyError, InvalidUnwrap, ValueError):
            raise KeyMissing from None

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    @property
    def signer(self) -> str:
        return public_key_id(self._signing.public_key())

    @property
    def wraps_with(self) -> str:
        return self._current

    def _read(self) -> None:
        """Look again at where the keys come from."""

    def _hold(self, held: dict[str, Any], signing: bytes) -> None:
        """Raises `ValueError`, `KeyError`, `TypeError` or `AttributeError` for what holds no keys."""
        wrapping = {name: base64.b64decode(key) for name, key in held["keys"].items()}
        current = str(held["current"])
        key = serialization.load_pem_private_key(signing, password=None)
        if not isinstance(key, Ed25519PrivateKey) or current not in wrapping:
            raise ValueError
        self._wrapping, self._current, self._signing = wrapping, current, key


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class FileKeyRing(HeldKeys):
    """Keys in files that only the service's own user can read; made when they are first needed."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(directory, 0o700)
        with self._locked():
            if not self._wrapping_file.exists():
                # The directory's own name must outlive a loss of power as well as what is put into it.
                sync_directory(directory.absolute().parent)
                self._add_wrapping_key()
            if not self._signing_file.exists():
                self._add_signing_key()
        self._read()

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        return published(self.directory)

    def rotate(self) -> None:
        """Wrap and sign with new keys from now on; what the earlier ones did stays readable and checkable."""
        with self._locked():
            self._add_wrapping_key()
            self._add_signing_key()
        self._read()

    def take_back(self, copy: Path) -> int:
        """Add the wrapping and public keys of a copy of an earlier key directory; how many wrapping keys were new."""
        earlier = FileKeyRing.existing(copy)
        with self._locked():
            held = json.loads(self._wrapping_file.read_text())
            new = {name: key for name, key in earlier["keys"].items() if name not in held["keys"]}
            held["keys"].update(new)
            self._save(held)
        for public in published(copy).values():
            publish(self.directory, public)
        self._read()
        return len(new)

    @staticmethod
    def existing(directory: Path) -> dict[str, Any]:
        """What installation.json of a key directory holds. Raises `ConfigurationError`."""
        try:
            held = json.loads((directory / "installation.json").read_text())
            if not all(len(base64.b64decode(key)) == 32 for key in held["keys"].values()):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                "There are no keys in {directory} that can be read.", directory=directory
            ) from None
        return dict(held)

    def forget(self, used: Collection[str]) -> list[str]:
        """Destroy the wrapping keys that are neither current nor `used`; their ids."""
        with self._locked():
            held = json.loads(self._wrapping_file.read_text())
            gone = [name for name in held["keys"] if name != held["current"] and name not in used]
            for name in gone:
                del held["keys"][name]
            self._save(held)
        self._read()
        return gone

    @property
    def _wrapping_file(self) -> Path:
        return self.directory / "installation.json"

    @property
    def _signing_file(self) -> Path:
        return self.directory / "signing.pem"

    def _add_wrapping_key(self) -> None:
        # The first file has its key from the beginning: one without any would bar every later start.
        held: dict[str, Any] = {"current": "", "keys": {}}
        if self._wrapping_file.exists():
            held = json.loads(self._wrapping_file.read_text())
        name = os.urandom(8).hex()
        held["keys"][name] = base64.b64encode(os.urandom(32)).decode()
        held["current"] = name
        self._save(held)

    def _save(self, held: dict[str, object]) -> None:
        write_whole(self._wrapping_file, json.dumps(held, indent=1).encode())

    def _add_signing_key(self) -> None:
        key = Ed25519PrivateKey.generate()
        publish(self.directory, key.public_key())
        write_whole(
            self._signing_file,
            private_pem(key),
        )
        sync_directory(self.directory)

    def _read(self) -> None:
        try:
            self._hold(json.loads(self._wrapping_file.read_text()), self._signing_file.read_bytes())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                "The keys in {directory} cannot be read.",
                hint="Restore the directory from its backup.",
                directory=self.directory,
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Several processes start at once; one makes the keys."""
        fd = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
