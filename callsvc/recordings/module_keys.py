"""The installation's keys in a security module (PKCS#11): they wrap and sign there and never leave it.

    wrapping keys   AES-256, label `callsvc-wrap`, id 8 bytes; RFC 3394 as in the other key rings
    signing keys    Ed25519, label `callsvc-sign`, id 8 bytes; the newest of each label is the current one

A recording's own key is in our memory while the recording runs or is read. The module wraps it, so a copy of the
spool is worth nothing without the module.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from callsvc.clock import SystemClock
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.keys import WrappedKey, public_key_id, publish, published

WRAP: Final = "callsvc-wrap"
SIGN: Final = "callsvc-sign"
ED25519: Final = "1.3.101.112"
T = TypeVar("T")


class ModuleKeyRing:
    """Keys in the token `token` of the PKCS#11 module `module`; made there when it has none.

    `directory` keeps the public keys.
    """

    def __init__(self, module: Path, token: str, pin: str, directory: Path) -> None:
        self._module, self._token, self._pin = module, token, pin
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()  # a session serves one thread at a time
        self._session: Any = None
        with self._lock:
            try:
                self._open()
                if not self._ids(WRAP, ObjectClass.SECRET_KEY):
                    self._add_wrapping_key()
                if not self._ids(SIGN, ObjectClass.PRIVATE_KEY):
                    self._add_signing_key()
                self._choose()
            except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
                raise ConfigurationError(
                    "The security module cannot be used ({kind}).",
                    hint="Check keys.pkcs11_module, keys.pkcs11_token and the PIN.",
                    kind=type(error).__name__,
                ) from None

    def wrap(self, key: bytes) -> WrappedKey:
        def work() -> WrappedKey:
            held = self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.AES,
                    Attribute.VALUE: key,
                    Attribute.TOKEN: False,
                    Attribute.SENSITIVE: False,
                    Attribute.EXTRACTABLE: True,
                }
            )
            try:
                wrapped = self._wrapping(self._current).wrap_key(held, mechanism=Mechanism.AES_KEY_WRAP)
            finally:
                held.destroy()
            return WrappedKey(self._current, bytes(wrapped))

        return self._do(work)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        def work() -> bytes:
            try:
                held = self._wrapping(wrapped.by).unwrap_key(
                    ObjectClass.SECRET_KEY,
                    KeyType.AES,
                    wrapped.wrapped,
                    mechanism=Mechanism.AES_KEY_WRAP,
                    template={
                        Attribute.TOKEN: False,
                        Attribute.SENSITIVE: False,
                        Attribute.EXTRACTABLE: True,
                    },
                )
            except (pkcs11.WrappedKeyInvalid, pkcs11.WrappedKeyLenRange, pkcs11.NoSuchKey, ValueError):
                raise KeyMissing from None
            except pkcs11.PKCS11Error as error:
                if type(error) in (pkcs11.GeneralError, pkcs11.FunctionFailed, pkcs11.ArgumentsBad):
                    raise KeyMissing from None  # what SoftHSM says of a wrapped key that is none
                raise
            try:
                return bytes(held[Attribute.VALUE])
            finally:
                held.destroy()

        return self._do(work)

    def sign(self, message: bytes) -> bytes:
        def work() -> bytes:
            key = self._session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, label=SIGN, id=bytes.fromhex(self._signing)
            )
            return bytes(key.sign(message, mechanism=Mechanism.EDDSA))

        return self._do(work)

    @property
    def signer(self) -> str:
        return public_key_id(self._public)

    @property
    def wraps_with(self) -> str:
        return self._current

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        return published(self._directory)

    def rotate(self) -> None:
        """Wrap and sign with new keys from now on; the earlier ones stay in the module."""

        def work() -> None:
            self._add_wrapping_key()
            self._add_signing_key()
            self._choose()

        self._do(work)

    def forget(self, used: Collection[str]) -> list[str]:
        """Destroy the wrapping keys that are neither current nor `used`; their ids."""

        def work() -> list[str]:
            gone = [
                n for n in self._ids(WRAP, ObjectClass.SECRET_KEY) if n != self._current and n not in used
            ]
            for name in gone:
                self._wrapping(name).destroy()
            return gone

        return self._do(work)

    def _do(self, work: Callable[[], T]) -> T:
        """One at a time; with a new session when the module lost the old one."""
        with self._lock:
            try:
                try:
                    return work()
                except (pkcs11.SessionHandleInvalid, pkcs11.SessionClosed, pkcs11.UserNotLoggedIn):
                    self._open()
                    return work()
            except pkcs11.PKCS11Error as error:
                raise Unavailable(
                    "The security module does not answer ({kind}).", kind=type(error).__name__
                ) from None

    def _open(self) -> None:
        token = pkcs11.lib(str(self._module)).get_token(token_label=self._token)
        try:
            self._session = token.open(rw=True, user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:  # by another ring in this process: it holds for all
            self._session = token.open(rw=True)

    def _wrapping(self, name: str) -> Any:
        return self._session.get_key(object_class=ObjectClass.SECRET_KEY, label=WRAP, id=bytes.fromhex(name))

    def _ids(self, label: str, kind: ObjectClass) -> list[str]:
        found = self._session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label})
        return sorted(bytes(key[Attribute.ID]).hex() for key in found)

    @staticmethod
    def _new_id() -> bytes:
        """Ids sort by when they were made: the newest key is the current one."""
        made_ms = int(SystemClock().utc_now().timestamp() * 1000)
        return made_ms.to_bytes(6, "big") + os.urandom(2)

    def _add_wrapping_key(self) -> None:
        self._session.generate_key(
            KeyType.AES,
            256,
            label=WRAP,
            id=self._new_id(),
            store=True,
            template={
                Attribute.WRAP: True,
                Attribute.UNWRAP: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
            },
        )

    def _add_signing_key(self) -> None:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(ED25519)}
        self._session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True).generate_keypair(
            label=SIGN, id=self._new_id(), store=True, mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        )

    def _choose(self) -> None:
        self._current = self._ids(WRAP, ObjectClass.SECRET_KEY)[-1]
        signing = self._ids(SIGN, ObjectClass.PRIVATE_KEY)
        for name in signing:
            public = self._session.get_key(
                object_class=ObjectClass.PUBLIC_KEY, label=SIGN, id=bytes.fromhex(name)
            )
            # The last 32 bytes of the point, whether the module wraps it into an octet string or not.
            self._public = Ed25519PublicKey.from_public_bytes(bytes(public[Attribute.EC_POINT])[-32:])
            publish(self._directory, self._public)
        self._signing = signing[-1]
