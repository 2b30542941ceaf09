"""What the recorder tells the rest of the service: ids, states and figures."""

from __future__ import annotations

from uuid import UUID

from callsvc.recordings.head import Head
from callsvc.recordings.manifest import Manifest
from callsvc.types import Event, EventKind


def started(head: Head, place: str) -> Event:
    """`place` is the name of the recording's directory in the spool."""
    return Event(head.call, EventKind.RECORDING_STARTED, {"recording": str(head.recording), "place": place})


def sealed(manifest: Manifest, place: str) -> Event:
    """The chain's head leaves the node with this event, so that the past cannot be rewritten there unseen."""
    return Event(
        UUID(manifest.call),
        EventKind.RECORDING_SEALED,
        {
            "recording": manifest.recording,
            "place": place,
            "head": manifest.chain,
            "outcome": str(manifest.outcome),
            "sealed_at": manifest.sealed_at,
            "tracks": [
                {
                    "name": t.name,
                    "rate": t.rate_hz,
                    "samples": t.samples,
                    "gaps": [[g.start, g.length, str(g.cause)] for g in t.gaps],
                }
                for t in manifest.tracks
            ],
        },
    )
