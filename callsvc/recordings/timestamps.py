"""Countersigned time: what a time-stamping authority (RFC 3161) says of the moment when something existed.

    manifest.sig ─ sha256 ─► authority ─ token ─► manifest.tsr        the same for a bundle's SHA256SUMS

The authority sees a digest and nothing else. It is asked by the worker, never by the media node: a call waits for
nobody, and the node needs no way out to the network.
"""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from callsvc.config import Settings
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.recordings.errors import Damaged

TIMEOUT_S: Final = 15.0
MAX_BYTES: Final = 64 * 1024


class Authority:
    """A time-stamping authority: `url` where it answers (empty: it is only checked), `roots` who vouches for it."""

    def __init__(
        self, url: str, roots: Sequence[x509.Certificate], *, pem: bytes = b"", timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = url
        self._roots = list(roots)
        self._timeout_s = timeout_s
        self.pem = pem
        """The certificates as they were configured, for those who check a bundle."""

    @property
    def answers(self) -> bool:
        """Whether it can be asked, or its answers can only be checked."""
        return bool(self._url)

    def stamp(self, message: bytes) -> bytes:
        """The authority's answer for `message`, checked. Raises `Unavailable` when it gives none that can be used."""
        asked = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
        request = urllib.request.Request(
            self._url, data=asked.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:
                answer: bytes = response.read(MAX_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(
                "The time-stamping authority does not answer ({kind}).", kind=type(error).__name__
            ) from None
        try:
            self._check(answer, message, asked.nonce)
        except Damaged:
            raise Unavailable("What the time-stamping authority answers is no token for this.") from None
        return answer

    def check(self, answer: bytes, message: bytes) -> datetime:
        """When `message` existed, by this authority. Raises `Damaged` when the answer does not say that."""
        return self._check(answer, message, None)

    def _check(self, answer: bytes, message: bytes, nonce: int | None) -> datetime:
        try:
            token = decode_timestamp_response(answer)
            VerifierBuilder(roots=self._roots, nonce=nonce).build().verify_message(token, message)
            return token.tst_info.gen_time
        except (VerificationError, ValueError):
            raise Damaged("The timestamp is not of this recording, or not of this authority.") from None


def authority(settings: Settings) -> Authority | None:
    """The authority of the settings; None when none is named. Raises `ConfigurationError`."""
    url, file = settings.timestamp.url, settings.timestamp.certificate
    if not url and file is None:
        return None
    if urlsplit(url).scheme not in ("", "http", "https"):
        raise ConfigurationError("timestamp.url must begin with http:// or https://.")
    if file is None:
        raise ConfigurationError(
            "timestamp.url is set and timestamp.certificate is not.",
            hint="Name a file with the certificate that vouches for the time-stamping authority.",
        )
    pem, roots = _certificates(file)
    return Authority(url, roots, pem=pem)


def _certificates(file: Path) -> tuple[bytes, list[x509.Certificate]]:
    try:
        pem = file.read_bytes()
        return pem, x509.load_pem_x509_certificates(pem)
    except (OSError, ValueError):
        raise ConfigurationError("{file} holds no certificate that can be read.", file=file) from None
