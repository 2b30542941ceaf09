"""Where the trail of accesses ended, kept where the database is not: signed, in the object store.

The trail is a chain, so nothing inside can be changed unseen; whoever has the database could still cut off its end, or
write the whole anew. Every ten minutes in which something came, the worker puts the head into the store:

    trail/2026-01-31/1430.json   {"id", "hash", "at", "signer", "signature"}

In a bucket with object lock nobody can take it back. `callsvc verify --trail` holds the database against it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature

from callsvc.access.trail import Head
from callsvc.clock import isoformat
from callsvc.errors import VerificationFailed
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.objects import Objects

PREFIX: Final = "trail"
EVERY_MIN: Final = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A head, and when it was kept."""

    head: Head
    at: str


def keep(store: Objects, keys: KeyRing, head: Head, now: datetime) -> bool:
    """Put the head of the trail into the store, once in ten minutes at most; whether it was put."""
    if head.id == 0:
        return False
    slot = now.replace(minute=now.minute - now.minute % EVERY_MIN)
    name = f"{PREFIX}/{slot:%Y-%m-%d}/{slot:%H%M}.json"
    try:
        store.size(name)
    except NoRecording:
        try:
            before = latest(store, keys)
        except VerificationFailed:
            before = None  # whoever checks will see it; that is no reason to keep nothing more
        if before is not None and before.head == head:
            return False
        at = isoformat(now)
        content = {"id": head.id, "hash": head.hash.hex(), "at": at, "signer": keys.signer}
        signature = base64.b64encode(keys.sign(_signed(head.id, head.hash.hex(), at))).decode()
        store.put(name, json.dumps({**content, "signature": signature}).encode() + b"\n")
        return True
    return False


def latest(store: Objects, keys: KeyRing) -> Kept | None:
    """The last head that was kept. Raises `VerificationFailed` when it was not we who signed it."""
    names = store.names(PREFIX)
    if not names:
        return None
    try:
        kept = json.loads(store.read(names[-1], 0, 10_000, store.size(names[-1])))
        message = _signed(int(kept["id"]), str(kept["hash"]), str(kept["at"]))
        keys.trusted()[kept["signer"]].verify(base64.b64decode(kept["signature"]), message)
        return Kept(Head(int(kept["id"]), bytes.fromhex(kept["hash"])), str(kept["at"]))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise VerificationFailed(
            "{name} in the object store was not written by this service.", name=names[-1]
        ) from None


def _signed(number: int, digest: str, at: str) -> bytes:
    return f"callsvc trail head 1\n{number}\n{digest}\n{at}\n".encode()
