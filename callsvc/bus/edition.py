"""What administrators have put in force, on its way to the media nodes; and what each node says that it goes by.

    in-force/<kind>          retained, QoS 1: {"v": 1, "kind", "version", "sha256", "signature", "body"}
    node/<node>/in-force     retained, QoS 1: {"v": 1, "node", "kinds": {kind: {"version", "sha256", "source", "refused"}}}

An edition is signed with the key that tokens are signed with: who can write to the broker cannot change what is in force.
What a node says is taken back, by a message without content, when it leaves or is gone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callsvc.errors import UsageError

VERSION: Final = 1
TOPIC: Final = "in-force/+"
NODES: Final = "node/+/in-force"
MAX_BODY_BYTES: Final = 64 * 1024
MAX_BYTES: Final = 256 * 1024
MAX_STATUS_BYTES: Final = 16 * 1024
MAX_WHY: Final = 2000

_KIND: Final = re.compile(r"[a-z0-9-]{1,40}")
_NODE_TOPIC: Final = re.compile(r"node/([a-z0-9-]{1,40})/in-force")


@dataclass(frozen=True, slots=True)
class Edition:
    """One text of one kind, as it was saved; with the signature that it came with, if it came."""

    kind: str
    version: int
    body: str
    signature: bytes = field(default=b"", compare=False, repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def _signed(self) -> bytes:
        # Unlike anything that a token's signature is over, which has neither spaces nor lines.
        return f"callsvc in force\n{self.kind}\n{self.version}\n{self.sha256}\n".encode()

    def dump(self, key: Ed25519PrivateKey) -> bytes:
        """The message; the same for the same edition, byte for byte."""
        content = {
            "v": VERSION,
            "kind": self.kind,
            "version": self.version,
            "sha256": self.sha256,
            "signature": base64.b64encode(key.sign(self._signed)).decode(),
            "body": self.body,
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    def check(self, key: Ed25519PublicKey) -> None:
        """Raises `UsageError` unless the web process has signed it."""
        try:
            key.verify(self.signature, self._signed)
        except InvalidSignature:
            raise UsageError("It is not signed by the web process.") from None


def topic(kind: str) -> str:
    return f"in-force/{kind}"


def node_topic(node: str) -> str:
    return f"node/{node}/in-force"


def named(topic: str) -> str:
    """The node that speaks under this topic; empty for another topic."""
    found = _NODE_TOPIC.fullmatch(topic)
    return found[1] if found else ""


def load(payload: bytes) -> Edition:
    """Read a message, whoever signed it; raises `UsageError` that says what is wrong with it."""
    if len(payload) > MAX_BYTES:
        raise UsageError("It is too long.")
    try:
        content = json.loads(payload)
        kind, version, body = content["kind"], content["version"], content["body"]
        if content["v"] != VERSION or not _KIND.fullmatch(kind) or not isinstance(body, str):
            raise ValueError
        if type(version) is not int or not 0 < version < 1 << 31:
            raise ValueError
        edition = Edition(kind, version, body, base64.b64decode(content["signature"], validate=True))
        whole = content["sha256"] == edition.sha256
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError("It cannot be read.") from None
    if len(body.encode()) > MAX_BODY_BYTES:
        raise UsageError("It is too long.")
    if not whole:
        raise UsageError("It is not whole.")
    return edition


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edition that a node did not take; version 0 when not even that could be read. `why` is a dumped `Said`."""

    version: int
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a node goes by in one kind. `source`: `screens`, `settings` or `packaged`; only the first has a version."""

    version: int = 0
    sha256: str = ""
    source: str = "packaged"
    refused: Refusal | None = None

    def fields(self) -> dict[str, Any]:
        refused = {"version": self.refused.version, "why": self.refused.why} if self.refused else None
        return {"version": self.version, "sha256": self.sha256, "source": self.source, "refused": refused}


def dump_status(node: str, kinds: Mapping[str, Standing]) -> bytes:
    content = {"v": VERSION, "node": node, "kinds": {name: one.fields() for name, one in kinds.items()}}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def load_status(payload: bytes) -> dict[str, Standing]:
    """What a node goes by, kind by kind; raises `UsageError` for anything else."""
    try:
        if len(payload) > MAX_STATUS_BYTES:
            raise ValueError
        content = json.loads(payload)
        if content["v"] != VERSION:
            raise ValueError
        return {
            str(kind): _standing(told) for kind, told in content["kinds"].items() if _KIND.fullmatch(kind)
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError("That is no node's status.") from None


def _standing(told: dict[str, Any]) -> Standing:
    refused = told["refused"]
    return Standing(
        int(told["version"]),
        str(told["sha256"])[:64],
        str(told["source"])[:20],
        Refusal(int(refused["version"]), str(refused["why"])[:MAX_WHY]) if refused else None,
    )
