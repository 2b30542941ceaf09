"""What stands at the beginning of a recording and never changes: head.json, and beside it the wrapped key.

The SHA-256 of head.json is the first link of the chain. The key lies in a file of its own, so that it can be wrapped
anew when the installation's key is rotated, or be destroyed, while every seal still holds.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audio.taps import Track
from callsvc.recordings.errors import Damaged, FormatUnknown, KeyDestroyed
from callsvc.recordings.keys import WrappedKey
from callsvc.recordings.layout import FORMAT, VERSION

MAX_RATE_HZ = 192_000


@dataclass(frozen=True, slots=True)
class Continues:
    """Where a recording goes on from another one whose disk failed while the call ran."""

    recording: UUID
    records: int
    """How many records of that one were safe; `chain` is the link of the last."""
    chain: str
    samples: tuple[int, ...]
    """By track: what lies before this position is in that recording."""

    def dump(self) -> dict[str, object]:
        return {
            "recording": str(self.recording),
            "records": self.records,
            "chain": self.chain,
            "samples": list(self.samples),
        }


def load_continues(content: Mapping[str, Any], tracks: int) -> Continues:
    """Raises `KeyError`, `TypeError` or `ValueError` for what says nothing of the kind."""
    samples = tuple(int(position) for position in content["samples"])
    records, chain = int(content["records"]), str(content["chain"])
    if len(samples) != tracks or min(samples) < 0 or records < 1 or len(bytes.fromhex(chain)) != 32:
        raise ValueError
    return Continues(UUID(content["recording"]), records, chain, samples)


@dataclass(frozen=True, slots=True)
class Head:
    """Which recording this is, and of what."""

    recording: UUID
    call: UUID
    node: str
    profile: str
    opened_at: str
    tracks: tuple[Track, ...]
    key_check: str
    mask: str = ""
    """SHA-256 of mask.json in hexadecimal, where masked sound is kept apart."""
    continues: Continues | None = None

    def dump(self) -> bytes:
        content: dict[str, object] = {
            "format": FORMAT,
            "version": VERSION,
            "recording": str(self.recording),
            "call": str(self.call),
            "node": self.node,
            "profile": self.profile,
            "opened_at": self.opened_at,
            "tracks": [{"name": t.name, "rate_hz": t.rate_hz} for t in self.tracks],
            "key_check": self.key_check,
        }
        if self.mask:
            content["mask"] = self.mask
        if self.continues:
            content["continues"] = self.continues.dump()
        return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


def genesis(head: bytes) -> bytes:
    """The first link of the chain: the digest of head.json as it lies on disk."""
    return hashlib.sha256(head).digest()


def load_head(raw: bytes) -> Head:
    """Raises `FormatUnknown` for another format or a later version, `Damaged` for anything else that is amiss."""
    content = _object(raw, "head.json")
    check_version(content)
    try:
        tracks = tuple(Track(str(t["name"]), int(t["rate_hz"])) for t in content["tracks"])
        if not 1 <= len(tracks) <= 16 or any(not 1 <= t.rate_hz <= MAX_RATE_HZ for t in tracks):
            raise ValueError
        return Head(
            recording=UUID(content["recording"]),
            call=UUID(content["call"]),
            node=str(content["node"]),
            profile=str(content["profile"]),
            opened_at=str(content["opened_at"]),
            tracks=tracks,
            key_check=str(content["key_check"]),
            mask=str(content.get("mask", "")),
            continues=load_continues(content["continues"], len(tracks)) if "continues" in content else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Damaged("head.json is not what was written when the recording was opened.") from None


def check_version(content: Mapping[str, Any]) -> None:
    """Raises `FormatUnknown` for a recording of another version."""
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        raise FormatUnknown


def dump_key(wrapped: WrappedKey) -> bytes:
    """The bytes of key.json."""
    content = {"by": wrapped.by, "wrapped": base64.b64encode(wrapped.wrapped).decode()}
    return json.dumps(content).encode() + b"\n"


def load_key(raw: bytes) -> WrappedKey:
    """Raises `KeyDestroyed` when only the note of its destruction is left."""
    content = _object(raw, "key.json")
    if "destroyed_at" in content:
        raise KeyDestroyed
    try:
        return WrappedKey(str(content["by"]), base64.b64decode(content["wrapped"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise Damaged("key.json holds no wrapped key.") from None


def _object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Damaged("{name} cannot be read.", name=name)
    return content
