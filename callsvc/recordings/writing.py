"""One recording while it grows: its taps, its timelines, its files. Belongs to the recorder's thread."""

from __future__ import annotations

import json
import mmap
import os
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from audio.taps import Gap, GapCause
from callsvc.clock import Clock
from callsvc.recordings.cipher import RecordCipher
from callsvc.recordings.durable import sync_directory, write_whole
from callsvc.recordings.head import Head, dump_key, genesis
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import CAUSES, HEAD, KEY, MASK, REACHED, SEGMENTS, Coding, Kind
from callsvc.recordings.manifest import Manifest, Outcome, add_gap
from callsvc.recordings.mask import MaskSeal
from callsvc.recordings.peaks import Outline
from callsvc.recordings.sealing import conclude, end_drafts
from callsvc.recordings.segment_file import Draft, SegmentFile, Sync
from callsvc.recordings.sound import encode
from callsvc.recordings.tap import RingTap
from callsvc.recordings.timeline import Piece, Timeline

RING_S: Final = 20
RAW: Final = "operator.rx"
NOTES: Final = 1000
"""Notes that may wait to be written."""


class Writing:
    """Takes from the taps, writes, seals. Each step may raise `OSError` and may then be tried again."""

    def __init__(
        self,
        spools: Iterable[Path],
        head: Head,
        key: bytes,
        sync: Sync = os.fdatasync,
        mask: MaskSeal | None = None,
    ) -> None:
        self._mask = mask
        self._spools = spools
        self.directory = Path(str(head.call))  # in the spool that takes it
        self.head = head
        self._key = key
        self._sync = sync
        # The raw microphone of a masked stretch is kept for nobody: what was typed can be guessed from it.
        self.taps = {
            t.name: RingTap(RING_S * t.rate_hz, keeps_masked=mask is not None and t.name != RAW)
            for t in head.tracks
        }
        self._timelines = [Timeline(t.rate_hz) for t in head.tracks]
        self._outlines = [Outline(t.rate_hz) for t in head.tracks]
        self._gaps: list[list[Gap]] = [[] for _ in head.tracks]
        self._pending: list[Draft] = []
        self._weights = [0] * len(head.tracks)
        self._file: SegmentFile | None = None
        self._reached: mmap.mmap | None = None
        self._finished = False
        self._notes: deque[tuple[int, dict[str, object]]] = deque(maxlen=NOTES)
        self.safe_ms = 0
        """How far sound is safe on disk, on the track that is furthest."""

    @property
    def ready(self) -> bool:
        """Whether the files are there."""
        return self._file is not None

    @property
    def late_samples(self) -> int:
        return sum(t.late_samples for t in self._timelines)

    @property
    def dropped_samples(self) -> int:
        return sum(t.dropped_samples for t in self.taps.values())

    @property
    def syncs(self) -> int:
        return self._file.syncs if self._file else 0

    @property
    def bytes_written(self) -> int:
        return self._file.offset if self._file else 0

    def head_so_far(self) -> tuple[int, str]:
        """How many records are safe on disk, and the link of the last."""
        return (self._file.n, self._file.link.hex()) if self._file else (0, "")

    def begin(self, keys: KeyRing) -> None:
        """Make the directory, the head, the wrapped key and the empty segment file, in the first spool that can."""
        wrapped = dump_key(keys.wrap(self._key))
        trouble = OSError("there is no spool")
        for spool in self._spools:
            try:
                self._begin_in(spool, wrapped)
            except OSError as error:
                trouble = error
            else:
                return
        raise trouble

    def _begin_in(self, spool: Path, wrapped: bytes) -> None:
        self._choose_directory(spool)
        raw = self.head.dump()
        write_whole(self.directory / KEY, wrapped)
        mask_cipher = None
        if self._mask is not None:
            write_whole(self.directory / MASK, self._mask.document)
            mask_cipher = RecordCipher(self._mask.key, self.head.recording)
        self._map_reached()
        write_whole(self.directory / HEAD, raw)
        cipher = RecordCipher(self._key, self.head.recording)
        self._file = SegmentFile(
            self.directory / SEGMENTS, cipher, prev=genesis(raw), sync=self._sync, mask_cipher=mask_cipher
        )
        sync_directory(self.directory)
        sync_directory(self.directory.parent)

    def _choose_directory(self, spool: Path) -> None:
        """`<call>`, or `<call>.2` and so on for a call that came back after it had been recorded once."""
        raw = self.head.dump()
        number = 1
        while True:
            name = str(self.head.call) if number == 1 else f"{self.head.call}.{number}"
            self.directory = spool / name
            try:
                self.directory.mkdir(mode=0o700, parents=True)
            except FileExistsError:
                head = self.directory / HEAD
                # Ours from an attempt that failed half way, or nobody's.
                if not head.exists() or head.read_bytes() == raw:
                    return
                number += 1
            else:
                return

    def _map_reached(self) -> None:
        size = 8 * len(self.taps)
        fd = os.open(self.directory / REACHED, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Room is taken now: touching a hole of a full disk through a mapping would kill the process.
            os.posix_fallocate(fd, 0, size)
            self._reached = mmap.mmap(fd, size)
        finally:
            os.close(fd)
        view = memoryview(self._reached)
        for i, tap in enumerate(self.taps.values()):
            tap.attach(view[8 * i : 8 * i + 8])

    @property
    def reached_ms(self) -> int:
        """How far the call has come, on the track that is furthest."""
        taps = zip(self.taps.values(), self.head.tracks, strict=True)
        return max(tap.end * 1000 // track.rate_hz for tap, track in taps)

    def cover(self, cause: GapCause | None) -> None:
        """Let every tap keep the clock alone, or sound again. Any thread."""
        for tap in self.taps.values():
            tap.cover(cause)

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        """Keep something that happened at a time of the call: a marker, a consent, an announcement. Any thread."""
        self._notes.append((at_ms, content))

    def flush(self) -> None:
        """Write and sync what has come since the last time."""
        self._take()
        self._write()

    def _take(self) -> None:
        for i, (tap, timeline) in enumerate(zip(self.taps.values(), self._timelines, strict=True)):
            for item in tap.take():
                timeline.add(item)
                self._weights[i] += item.weight
            self._pending += [self._masked_draft(i, piece) for piece in timeline.drain_masked()]
            self._pending += [self._draft(i, piece) for piece in timeline.drain()]
        for _ in range(len(self._notes)):
            at_ms, content = self._notes.popleft()
            plain = json.dumps(content, ensure_ascii=False).encode()
            self._pending.append(Draft(Kind.EVENT, Coding.JSON, plain, start=max(0, at_ms)))

    def _draft(self, track: int, piece: Piece) -> Draft:
        if piece.samples is None:
            cause = piece.cause or GapCause.LOSS
            add_gap(self._gaps[track], Gap(piece.start, piece.length, cause))
            return Draft(Kind.GAP, Coding.NOTHING, b"", track, CAUSES[cause], piece.start, piece.length)
        self._outlines[track].add(piece.start, piece.samples)
        coding, payload = encode(piece.samples, self._timelines[track].rate_hz)
        return Draft(Kind.SOUND, coding, payload, track, 0, piece.start, piece.length)

    def _masked_draft(self, track: int, piece: Piece) -> Draft:
        assert piece.samples is not None
        coding, payload = encode(piece.samples, self._timelines[track].rate_hz)
        return Draft(Kind.MASKED, coding, payload, track, 0, piece.start, piece.length, masked=True)

    def _write(self) -> None:
        if not self._pending:
            return
        if self._file is None:
            raise OSError("the recording has no files yet")
        self._file.append(self._pending)
        self._pending = []
        for i, tap in enumerate(self.taps.values()):
            tap.settle(self._weights[i])
            self._weights[i] = 0
        self.safe_ms = max(t.end * 1000 // t.rate_hz for t in self._timelines)

    def seal(self, lengths: Mapping[str, int], cause: str, keys: KeyRing, clock: Clock) -> Manifest:
        """Write what is left, state every track's length, sign. The taps must be silent by now."""
        if not self._finished:
            self._take()
            for i, track in enumerate(self.head.tracks):
                timeline = self._timelines[i]
                if drop := self.taps[track.name].last_drop():
                    timeline.extend(drop[1], GapCause.RECORDER)
                timeline.extend(lengths.get(track.name, 0), GapCause.ABSENT)
                self._pending += [self._draft(i, piece) for piece in timeline.drain()]
            samples = [t.end for t in self._timelines]
            self._pending += end_drafts(self._outlines, samples, Outcome.COMPLETE, cause)
            self._finished = True
        self._write()
        if self._file is None:
            raise OSError("the recording has no files yet")
        samples = [t.end for t in self._timelines]
        digest = genesis(self.head.dump())
        manifest = conclude(
            self.directory,
            self.head,
            digest,
            self._file,
            samples,
            self._gaps,
            Outcome.COMPLETE,
            cause,
            keys,
            clock,
        )
        self.close()
        return manifest

    def close(self) -> None:
        """Let go of the files. The mapping stays until the taps are gone: the call may still write into it."""
        if self._file is not None:
            self._file.close()
            self._file = None
