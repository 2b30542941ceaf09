"""What is signed when a recording is sealed: manifest.json, and its Ed25519 signature over the file's very bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from audio.taps import Gap, GapCause
from callsvc.recordings.errors import Damaged
from callsvc.recordings.head import Head, check_version
from callsvc.recordings.layout import FORMAT, VERSION


class Outcome(StrEnum):
    """How a recording came to its end."""

    COMPLETE = "complete"
    ENDED_BY_FAILURE = "ended_by_failure"
    """The node died, and a later start sealed what was safe."""


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """One track as sealed; `gaps` are in order and do not touch unless their causes differ."""

    name: str
    rate_hz: int
    samples: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`head`, `index` and `segments` are SHA-256 in hexadecimal; `chain` is the last link."""

    recording: str
    call: str
    node: str
    profile: str
    opened_at: str
    sealed_at: str
    outcome: Outcome
    cause: str
    head: str
    chain: str
    records: int
    segments_bytes: int
    segments: str
    index: str
    signer: str
    tracks: tuple[TrackSummary, ...]

    def dump(self) -> bytes:
        return json.dumps(self.content(), indent=1, ensure_ascii=False).encode() + b"\n"

    def content(self) -> dict[str, Any]:
        """What is written, as JSON values."""
        content: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        content |= {name: getattr(self, name) for name in self.__slots__ if name != "tracks"}
        content["tracks"] = [
            {
                "name": t.name,
                "rate_hz": t.rate_hz,
                "samples": t.samples,
                "gaps": [{"start": g.start, "length": g.length, "cause": g.cause} for g in t.gaps],
            }
            for t in self.tracks
        ]
        return content


def load_manifest(raw: bytes) -> Manifest:
    """Raises `FormatUnknown` or `Damaged`."""
    try:
        content = json.loads(raw)
        check_version(content)
        tracks = tuple(
            TrackSummary(
                str(t["name"]),
                int(t["rate_hz"]),
                int(t["samples"]),
                tuple(Gap(int(g["start"]), int(g["length"]), GapCause(g["cause"])) for g in t["gaps"]),
            )
            for t in content["tracks"]
        )
        plain = {name: content[name] for name in Manifest.__slots__ if name != "tracks"}
        plain["outcome"] = Outcome(plain["outcome"])
        if any(not isinstance(plain[name], int) for name in ("records", "segments_bytes")):
            raise ValueError
        return Manifest(**plain, tracks=tracks)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Damaged("manifest.json cannot be read.") from None


def summaries(head: Head, samples: Sequence[int], gaps: Sequence[Sequence[Gap]]) -> tuple[TrackSummary, ...]:
    """What a manifest says of the tracks, whose lengths and gaps come in the order of the head's."""
    return tuple(
        TrackSummary(track.name, track.rate_hz, samples[i], tuple(gaps[i]))
        for i, track in enumerate(head.tracks)
    )


def add_gap(gaps: list[Gap], gap: Gap) -> None:
    """Append `gap`, as one with the last where they touch and have the same cause."""
    if gap.length == 0:
        return
    if gaps and gaps[-1].end == gap.start and gaps[-1].cause == gap.cause:
        gaps[-1] = Gap(gaps[-1].start, gaps[-1].length + gap.length, gap.cause)
    else:
        gaps.append(gap)
