"""One recording while it grows: its taps, its timelines, its files. Belongs to the recorder's thread."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audio.taps import Gap, GapCause
from callsvc.clock import Clock
from callsvc.recordings.head import Continues, Head, dump_key, genesis
from callsvc.recordings.keys import KeyRing, WrappedKey
from callsvc.recordings.layout import CAUSES, Coding, Kind
from callsvc.recordings.manifest import Manifest, Outcome, add_gap
from callsvc.recordings.opening import Begun, Opening, begin
from callsvc.recordings.peaks import Outline
from callsvc.recordings.sealing import conclude, end_drafts
from callsvc.recordings.segment_file import Draft, Sync
from callsvc.recordings.sound import encode
from callsvc.recordings.tap import RingTap
from callsvc.recordings.timeline import Piece, Timeline

RING_S: Final = 20
RAW: Final = "operator.rx"
NOTES: Final = 1000
"""Notes that may wait to be written."""
LAST: Final = (Kind.PEAKS, Kind.END)
"""What is written at the end of a recording alone."""

Again = Callable[[Continues], Opening]
"""Draws up a recording that goes on where another one ended."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a recording leaves behind when it goes on elsewhere: its files, still open, and what is needed to copy them."""

    begun: Begun
    opening: Opening
    wrapped: WrappedKey


class Writing:
    """Takes from the taps, writes, seals. Each step may raise `OSError` and may then be tried again."""

    def __init__(
        self, spools: Iterable[Path], opening: Opening, sync: Sync = os.fdatasync, again: Again | None = None
    ) -> None:
        self._spools = spools
        self._opening = opening
        self._again = again
        self._sync = sync
        # The raw microphone of a masked stretch is kept for nobody: what was typed can be guessed from it.
        keeps = opening.mask is not None
        self.taps = {
            t.name: RingTap(RING_S * t.rate_hz, keeps_masked=keeps and t.name != RAW)
            for t in self.head.tracks
        }
        self._timelines = [Timeline(t.rate_hz) for t in self.head.tracks]
        self._outlines = [Outline(t.rate_hz) for t in self.head.tracks]
        self._gaps: list[list[Gap]] = [[] for _ in self.head.tracks]
        self._pending: list[Draft] = []
        self._weights = [0] * len(self.head.tracks)
        self._safe = [0] * len(self.head.tracks)
        self._begun: Begun | None = None
        self._wrapped: WrappedKey | None = None
        self._finished = False
        self._notes: deque[tuple[int, dict[str, object]]] = deque(maxlen=NOTES)
        self.safe_ms = 0
        """How far sound is safe on disk, on the track that is furthest."""

    @property
    def head(self) -> Head:
        return self._opening.head

    @property
    def directory(self) -> Path:
        """Where it lies; before it has begun the name that it will get in a spool."""
        return self._begun.directory if self._begun else Path(str(self.head.call))

    @property
    def ready(self) -> bool:
        """Whether the files are there."""
        return self._begun is not None

    @property
    def late_samples(self) -> int:
        return sum(t.late_samples for t in self._timelines)

    @property
    def dropped_samples(self) -> int:
        return sum(t.dropped_samples for t in self.taps.values())

    @property
    def syncs(self) -> int:
        return self._begun.file.syncs if self._begun else 0

    @property
    def bytes_written(self) -> int:
        return self._begun.file.offset if self._begun else 0

    def head_so_far(self) -> tuple[int, str]:
        """How many records are safe on disk, and the link of the last."""
        return (self._begun.file.n, self._begun.file.link.hex()) if self._begun else (0, "")

    def begin(self, keys: KeyRing) -> None:
        """Make the files, in the first spool that can."""
        wrapped = keys.wrap(self._opening.key)
        self._take_up(self._begin_in(self._spools, self._opening, wrapped), wrapped)

    def move(self, keys: KeyRing) -> Left | None:
        """Go on elsewhere, as a recording that continues this one; what is left behind. None where nothing waits to be written.

        Not in the same spool, unless the files themselves are gone. Raises `OSError` when no other takes it: then it
        stays where it is.
        """
        begun, wrapped = self._begun, self._wrapped
        if begun is None or wrapped is None or self._again is None or not self._pending:
            return None
        file, opening = begun.file, self._opening
        if file.n:
            opening = self._again(Continues(self.head.recording, file.n, file.link.hex(), tuple(self._safe)))
        others = [spool for spool in self._spools if spool != begun.spool]
        try:
            file.check_name()
        except OSError:
            others.append(begun.spool)
        new = keys.wrap(opening.key)
        left = Left(begun, self._opening, wrapped)
        self._take_up(self._begin_in(others, opening, new), new)
        self._opening = opening
        self._begin_at(self._safe)
        return left

    def leave(self) -> Left | None:
        """Let go of a recording that lacks nothing but its seal, and whose files have lost their place; None otherwise."""
        begun, wrapped = self._begun, self._wrapped
        if begun is None or wrapped is None or self._pending or not self._finished:
            return None
        try:
            begun.file.check_name()
        except FileNotFoundError:
            self._begun = None
            return Left(begun, self._opening, wrapped)
        return None

    def _begin_in(self, spools: Iterable[Path], opening: Opening, wrapped: WrappedKey) -> Begun:
        trouble = OSError("there is no spool")
        for spool in spools:
            try:
                return begin(spool, opening, dump_key(wrapped), self._sync)
            except OSError as error:
                trouble = error
        raise trouble

    def _take_up(self, begun: Begun, wrapped: WrappedKey) -> None:
        self._begun, self._wrapped = begun, wrapped
        view = memoryview(begun.reached)
        for i, tap in enumerate(self.taps.values()):
            tap.attach(view[8 * i : 8 * i + 8])

    def _begin_at(self, positions: list[int]) -> None:
        """What lies before these positions is kept elsewhere, and is a gap here."""
        if self._finished:
            self._pending = [draft for draft in self._pending if draft.kind not in LAST]
            self._finished = False
        before = []
        for i, position in enumerate(positions):
            self._outlines[i].forget(position)
            gaps, self._gaps[i] = self._gaps[i], []
            if position:
                before.append(self._gap(i, Gap(0, position, GapCause.RECORDER)))
            for gap in gaps:
                start = max(gap.start, position)
                add_gap(self._gaps[i], Gap(start, max(0, gap.end - start), gap.cause))
        self._pending = before + self._pending

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
            return self._gap(track, Gap(piece.start, piece.length, piece.cause or GapCause.LOSS))
        self._outlines[track].add(piece.start, piece.samples)
        coding, payload = encode(piece.samples, self._timelines[track].rate_hz)
        return Draft(Kind.SOUND, coding, payload, track, 0, piece.start, piece.length)

    def _gap(self, track: int, gap: Gap) -> Draft:
        add_gap(self._gaps[track], gap)
        return Draft(Kind.GAP, Coding.NOTHING, b"", track, CAUSES[gap.cause], gap.start, gap.length)

    def _masked_draft(self, track: int, piece: Piece) -> Draft:
        assert piece.samples is not None
        coding, payload = encode(piece.samples, self._timelines[track].rate_hz)
        return Draft(Kind.MASKED, coding, payload, track, 0, piece.start, piece.length, masked=True)

    def _write(self) -> None:
        if self._begun is None:
            if self._pending:
                raise OSError("the recording has no files yet")
            return
        self._begun.file.check_name()
        if not self._pending:
            return
        self._begun.file.append(self._pending)
        self._pending = []
        for i, tap in enumerate(self.taps.values()):
            tap.settle(self._weights[i])
            self._weights[i] = 0
        self._safe = [timeline.end for timeline in self._timelines]
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
        if self._begun is None:
            raise OSError("the recording has no files yet")
        samples = [t.end for t in self._timelines]
        digest = genesis(self.head.dump())
        manifest = conclude(
            self.directory,
            self.head,
            digest,
            self._begun.file,
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
        if self._begun is not None:
            with suppress(OSError):
                self._begun.file.close()
            self._begun = None
