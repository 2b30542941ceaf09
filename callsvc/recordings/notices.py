"""What the recorder tells the rest of the service: ids, states and figures."""

from __future__ import annotations

from uuid import UUID

from callsvc.recordings.head import Continues, Head
from callsvc.recordings.manifest import Manifest
from callsvc.types import Event, EventKind

GAPS_TOLD = 200
"""Gaps a track that the event lists; the manifest lists all."""


def started(head: Head) -> Event:
    fields: dict[str, object] = {"recording": str(head.recording)}
    if head.continues is not None:
        fields["continues"] = str(head.continues.recording)
    return Event(head.call, EventKind.RECORDING_STARTED, fields)


def troubled(head: Head, why: str) -> Event:
    """The recording lacks something, or will: the call goes on."""
    return Event(head.call, EventKind.CALL_DEGRADED, {"what": "recording", "why": why})


def head_so_far(recording: Head, records: int, chain: str) -> Event:
    """How far the chain has come while the call runs: what is told cannot be cut off later unseen."""
    fields: dict[str, object] = {"recording": str(recording.recording), "records": records, "chain": chain}
    return Event(recording.call, EventKind.RECORDING_HEAD, fields)


def sealed(manifest: Manifest, continues: Continues | None = None) -> Event:
    """The chain's head leaves the node with this event, so that the past cannot be rewritten there unseen."""
    before: dict[str, object] = {}
    if continues is not None:
        before = {"continues": {"recording": str(continues.recording), "samples": list(continues.samples)}}
    return Event(
        UUID(manifest.call),
        EventKind.RECORDING_SEALED,
        before
        | {
            "recording": manifest.recording,
            "head": manifest.chain,
            "outcome": str(manifest.outcome),
            "sealed_at": manifest.sealed_at,
            "tracks": [
                {
                    "name": t.name,
                    "rate": t.rate_hz,
                    "samples": t.samples,
                    "gaps": [[g.start, g.length, str(g.cause)] for g in t.gaps[:GAPS_TOLD]],
                }
                for t in manifest.tracks
            ],
        },
    )
