"""The form of an event on the bus: MQTT 3.1.1, QoS 1, JSON.

    topic    call/<call>/<kind>
    payload  {"v": 1, "node", "outbox", "seq", "prev", "acked", "at", "call", "kind", ...what the kind holds}

`seq` rises for ever in one outbox, not always by one. `prev` is the `seq` of the event before it, and `acked` the
highest one that the node knows to be committed. docs/reference/events.md lists the kinds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from callsvc.errors import UsageError
from callsvc.ids import parse_id

VERSION = 1
TOPICS = "call/+/+"
MAX_BYTES = 256 * 1024

_NODE = re.compile(r"[a-z0-9-]{1,40}")
_OUTBOX = re.compile(r"[0-9a-f]{0,32}")
_OURS = ("v", "node", "outbox", "seq", "prev", "acked", "at", "call", "kind")


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it came off the bus, with the numbers that keep the order."""

    node: str
    seq: int
    prev: int
    acked: int
    at: str
    call: UUID
    kind: str
    fields: dict[str, Any]
    outbox: str = ""
    """Which outbox numbered it; empty from a node of an earlier version."""


def topic(call: str, kind: str) -> str:
    return f"call/{call}/{kind}"


def ack_topic(node: str) -> str:
    return f"node/{node}/ack"


def dump(record: dict[str, Any], *, node: str, acked: int, outbox: str = "") -> bytes:
    """The payload for an outbox record (`seq prev at call kind fields`)."""
    head = {"v": VERSION, "node": node, "outbox": outbox, "acked": acked}
    head |= {key: record[key] for key in ("seq", "prev", "at", "call", "kind")}
    return json.dumps({**record["fields"], **head}, ensure_ascii=False, separators=(",", ":")).encode()


def load(payload: bytes) -> Message:
    """Raises `UsageError` for anything that is no event of this version."""
    try:
        if len(payload) > MAX_BYTES:
            raise ValueError
        content = json.loads(payload)
        if content["v"] != VERSION or not _NODE.fullmatch(content["node"]):
            raise ValueError
        if not _OUTBOX.fullmatch(content.get("outbox", "")):
            raise ValueError
        numbers = [content[key] for key in ("seq", "prev", "acked")]
        if any(type(n) is not int or not 0 <= n < 1 << 63 for n in numbers):
            raise ValueError
        return Message(
            node=content["node"],
            outbox=content.get("outbox", ""),
            seq=numbers[0],
            prev=numbers[1],
            acked=numbers[2],
            at=str(content["at"]),
            call=parse_id(content["call"]),
            kind=str(content["kind"]),
            fields={key: value for key, value in content.items() if key not in _OURS},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError("That is no event.") from None


def dump_ack(seq: int, outbox: str = "") -> bytes:
    return json.dumps({"seq": seq} | ({"outbox": outbox} if outbox else {})).encode()


def load_ack(payload: bytes, outbox: str = "") -> int | None:
    """The number that is acknowledged, with all before it; None when the payload is none, or is for another outbox."""
    try:
        told = json.loads(payload) if len(payload) < 200 else {}
        seq = told["seq"]
        if told.get("outbox", outbox) != outbox:
            return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return seq if type(seq) is int and seq >= 0 else None
