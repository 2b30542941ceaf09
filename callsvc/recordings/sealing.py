"""The end of a recording: the last records, the index, the signed manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from audio.taps import Gap
from callsvc.clock import Clock, isoformat
from callsvc.recordings.durable import sync_directory, write_whole
from callsvc.recordings.head import Head
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import INDEX, MANIFEST, REACHED, SIGNATURE, Coding, Kind
from callsvc.recordings.manifest import Manifest, Outcome, summaries
from callsvc.recordings.peaks import Outline
from callsvc.recordings.segment_file import Draft, SegmentFile


def end_drafts(
    outlines: Sequence[Outline], samples: Sequence[int], outcome: Outcome, cause: str
) -> list[Draft]:
    """The last records: each track's outline, and how it ended."""
    drafts = [
        Draft(Kind.PEAKS, Coding.PEAKS, outline.peaks(samples[i]).dump(), i, 0, 0, samples[i])
        for i, outline in enumerate(outlines)
    ]
    note = json.dumps({"outcome": outcome, "cause": cause}).encode()
    return [*drafts, Draft(Kind.END, Coding.JSON, note)]


def conclude(
    directory: Path,
    head: Head,
    head_digest: bytes,
    file: SegmentFile,
    samples: Sequence[int],
    gaps: Sequence[Sequence[Gap]],
    outcome: Outcome,
    cause: str,
    keys: KeyRing,
    clock: Clock,
) -> Manifest:
    """Write index, signature and manifest for a segment file that is complete.

    The manifest's name appears last and makes the recording a sealed one. May be done again after an `OSError`.
    """
    index = b"".join(file.headers)
    manifest = Manifest(
        recording=str(head.recording),
        call=str(head.call),
        node=head.node,
        profile=head.profile,
        opened_at=head.opened_at,
        sealed_at=isoformat(clock.utc_now()),
        outcome=outcome,
        cause=cause,
        head=head_digest.hex(),
        chain=file.link.hex(),
        records=file.n,
        segments_bytes=file.offset,
        segments=file.digest(),
        index=hashlib.sha256(index).hexdigest(),
        signer=keys.signer,
        tracks=summaries(head, samples, gaps),
    )
    raw = manifest.dump()
    write_whole(directory / INDEX, index)
    write_whole(directory / SIGNATURE, keys.sign(raw))
    (directory / REACHED).unlink(missing_ok=True)
    # Gone for good before the manifest's name is there: a sealed recording with a file too many is not as sealed.
    sync_directory(directory)
    write_whole(directory / MANIFEST, raw)
    return manifest
