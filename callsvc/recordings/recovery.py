"""After a crash: what an earlier run left open is sealed as far as it goes, and says what is missing.

The recorder's own death cannot lose more than what had not been synced. How far the call had come is known from the
positions that the taps kept in shared memory (`reached`); the difference is a gap with the cause `failure`.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from contextlib import suppress
from pathlib import Path

from audio.taps import Gap, GapCause
from callsvc import logs
from callsvc.bus import EventSink
from callsvc.clock import Clock
from callsvc.errors import CallsvcError, DataDirBusy
from callsvc.recordings.cipher import RecordCipher
from callsvc.recordings.durable import sync_directory
from callsvc.recordings.errors import Damaged
from callsvc.recordings.head import genesis, load_head, load_key
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import CAUSES, HEAD, KEY, MANIFEST, MASK, REACHED, SEGMENTS, Coding, Kind
from callsvc.recordings.manifest import Manifest, Outcome, add_gap, load_manifest
from callsvc.recordings.notices import sealed
from callsvc.recordings.peaks import Outline
from callsvc.recordings.scan import Placed, Walk, walk, without_last
from callsvc.recordings.sealing import conclude, end_drafts
from callsvc.recordings.segment_file import Draft, SegmentFile
from callsvc.recordings.sound import decode
from callsvc.recordings.source import DirectorySource
from callsvc.types import Event

# A call cannot have gone on for longer than this after its last sync: a disk that was away fills the rings first.
MAX_FAILURE_S = 60
LOCK = ".lock"


class SpoolLock:
    """One media node a spool."""

    def __init__(self, spool: Path) -> None:
        self._fd = os.open(spool / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise DataDirBusy("Another media node records into {spool}.", spool=spool) from None

    def release(self) -> None:
        os.close(self._fd)


def recover(spool: Path, keys: KeyRing, clock: Clock, sink: EventSink) -> list[Manifest]:
    """Seal every recording in the spool that has no manifest; those that were sealed now.

    All that are sealed are told of (again), so that nothing depends on what an outbox remembers. One that cannot be
    sealed is left as it is and logged.
    """
    log = logs.get("recorder")
    done = []
    for directory in sorted(d for d in spool.iterdir() if d.is_dir() and not d.name.startswith(".")):
        if (directory / MANIFEST).exists():
            with suppress(CallsvcError):
                sink.emit(_sealed(directory, load_manifest((directory / MANIFEST).read_bytes())))
            continue
        if not (directory / HEAD).exists() or not (directory / SEGMENTS).exists():
            with suppress(OSError):  # something else lies there, or the disk fails: neither holds up the rest
                clear(directory)
            continue
        try:
            manifest = seal_orphan(directory, keys, clock)
        except (CallsvcError, OSError) as error:
            log.error("orphan_not_sealed", recording=directory.name, kind=type(error).__name__)
            continue
        log.warning("orphan_sealed", call=manifest.call, records=manifest.records)
        sink.emit(_sealed(directory, manifest))
        done.append(manifest)
    return done


def _sealed(directory: Path, manifest: Manifest) -> Event:
    return sealed(manifest, load_head((directory / HEAD).read_bytes()).continues)


def clear(directory: Path) -> None:
    """Remove what was begun and never held a record."""
    if (directory / SEGMENTS).exists() and (directory / SEGMENTS).stat().st_size:
        return
    for name in (HEAD, KEY, MASK, REACHED, SEGMENTS, HEAD + ".part", KEY + ".part", MASK + ".part"):
        (directory / name).unlink(missing_ok=True)
    directory.rmdir()
    sync_directory(directory.parent)


def seal_orphan(directory: Path, keys: KeyRing, clock: Clock) -> Manifest:
    """Cut off what is torn, state how far the call had come, and seal. Nothing whole is touched."""
    source = DirectorySource(directory)
    raw = source.whole(HEAD)
    head = load_head(raw)
    key = keys.unwrap(load_key(source.whole(KEY)))
    cipher = RecordCipher(key, head.recording)
    found = walk(source, SEGMENTS, head, genesis(raw))
    # The chain vouches for a record through the one behind it; for the last one only its own tag does.
    # Masked sound is under a key that the node no longer has; it goes, too: its gap did not come.
    while found.placed and not _decrypts(source, cipher, found.placed[-1]):
        found = without_last(found, head)
    file = SegmentFile(
        directory / SEGMENTS,
        cipher,
        prev=found.link,
        n=len(found.placed),
        offset=found.offset,
        headers=[p.raw for p in found.placed],
    )
    outcome, cause = Outcome.ENDED_BY_FAILURE, "failure"
    try:
        if found.ended:
            # It was complete but for its manifest.
            last = found.placed[-1]
            payload = source.read(SEGMENTS, last.payload_offset, last.header.size)
            note = json.loads(cipher.decrypt(last.header, payload))
            outcome, cause = Outcome(note["outcome"]), str(note["cause"])
        else:
            outlines = _outlines(source, cipher, found, [t.rate_hz for t in head.tracks])
            drafts = _failure_gaps(directory, found, [t.rate_hz for t in head.tracks])
            file.append([*drafts, *end_drafts(outlines, found.samples, outcome, cause)])
        return conclude(
            directory, head, genesis(raw), file, found.samples, found.gaps, outcome, cause, keys, clock
        )
    finally:
        file.close()


def _decrypts(source: DirectorySource, cipher: RecordCipher, placed: Placed) -> bool:
    try:
        cipher.decrypt(placed.header, source.read(SEGMENTS, placed.payload_offset, placed.header.size))
    except Damaged:
        return False
    return True


def _failure_gaps(directory: Path, found: Walk, rates: list[int]) -> list[Draft]:
    """Every track is brought to where the call had come."""
    reached = _reached(directory, len(rates))
    seconds = [max(reached[i], found.samples[i]) / rate for i, rate in enumerate(rates)]
    safe = max(found.samples[i] / rate for i, rate in enumerate(rates))
    end_s = min(max(seconds), safe + MAX_FAILURE_S)
    drafts = []
    for i, rate in enumerate(rates):
        length = round(end_s * rate) - found.samples[i]
        if length > 0:
            start = found.samples[i]
            drafts.append(Draft(Kind.GAP, Coding.NOTHING, b"", i, CAUSES[GapCause.FAILURE], start, length))
            add_gap(found.gaps[i], Gap(start, length, GapCause.FAILURE))
            found.samples[i] += length
    return drafts


def _reached(directory: Path, tracks: int) -> tuple[int, ...]:
    try:
        raw = (directory / REACHED).read_bytes()
    except FileNotFoundError:
        raw = b""
    return struct.unpack_from(f"<{tracks}Q", raw.ljust(8 * tracks, b"\0"))


def _outlines(source: DirectorySource, cipher: RecordCipher, found: Walk, rates: list[int]) -> list[Outline]:
    outlines = [Outline(rate) for rate in rates]
    for placed in found.placed:
        header = placed.header
        if header.kind == Kind.SOUND:
            payload = source.read(SEGMENTS, placed.payload_offset, header.size)
            try:
                samples = decode(header.coding, cipher.decrypt(header, payload), header.length)
            except Damaged:
                continue  # `verify` names it; the rest keeps its seal.
            outlines[header.track].add(header.start, samples)
    return outlines
