"""Reading a recording back: any stretch of any track, without decrypting the rest."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.taps import Gap, GapCause, Samples
from callsvc.recordings.cipher import RecordCipher, key_check
from callsvc.recordings.errors import Damaged, KeyMissing, NoRecording
from callsvc.recordings.head import Head, genesis, load_head, load_key
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import (
    CAUSE_OF,
    HEAD,
    HEADER_BYTES,
    HEADERS,
    INDEX,
    KEY,
    MANIFEST,
    SEGMENTS,
    Kind,
    unpack,
)
from callsvc.recordings.manifest import Manifest, add_gap, load_manifest
from callsvc.recordings.peaks import PER_SECOND, Outline, Peaks, load_peaks
from callsvc.recordings.scan import walk
from callsvc.recordings.sound import decode
from callsvc.recordings.source import Source
from callsvc.recordings.wav import WavView

# Decoded pieces that are kept: a player reads on from where it was.
CACHED_PIECES: Final = 64


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One track: `samples` long at `rate_hz`; its `gaps` in order."""

    name: str
    rate_hz: int
    samples: int
    gaps: tuple[Gap, ...]


class Recording:
    """An opened recording. Safe to read from several threads."""

    def __init__(
        self, source: Source, head: Head, cipher: RecordCipher, index: bytes, manifest: Manifest | None
    ):
        self._source = source
        self._cipher = cipher
        self.head = head
        self.manifest = manifest
        self.call = head.call
        self.recording = head.recording
        self.profile = head.profile
        self.outcome = manifest.outcome if manifest else None
        rows = np.frombuffer(index, dtype=HEADERS)
        self._raw = index
        sizes = rows["size"].astype(np.int64) + HEADER_BYTES
        self._offsets = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        self._rows = rows
        self._sound: dict[str, NDArray[np.int64]] = {}
        self.tracks: dict[str, TrackInfo] = {}
        for number, track in enumerate(head.tracks):
            mine = rows["track"] == number
            self._sound[track.name] = np.flatnonzero(mine & (rows["kind"] == Kind.SOUND))
            timed = rows[mine & ((rows["kind"] == Kind.SOUND) | (rows["kind"] == Kind.GAP))]
            samples = int(timed["start"][-1] + timed["length"][-1]) if len(timed) else 0
            gaps: list[Gap] = []
            for row in timed[timed["kind"] == Kind.GAP]:
                cause = CAUSE_OF.get(int(row["cause"]), GapCause.LOSS)
                add_gap(gaps, Gap(int(row["start"]), int(row["length"]), cause))
            self.tracks[track.name] = TrackInfo(track.name, track.rate_hz, samples, tuple(gaps))
        self.earlier: Recording | None = None
        """What this one continues, once it is joined: the sound before `_from`, by track."""
        self._from: dict[str, int] = {}
        self._cache: OrderedDict[int, Samples] = OrderedDict()
        self._lock = threading.Lock()

    def join(self, earlier: Recording) -> None:
        """Read what this recording continues in the place of the gap that it begins with: one sound from now on."""
        continues = self.head.continues
        if continues is None or continues.recording != earlier.recording:
            raise NoRecording("That is not the recording that this one continues.")
        for (name, info), position in zip(self.tracks.items(), continues.samples, strict=True):
            before = earlier.tracks.get(name)
            gaps: list[Gap] = []
            reaches = min(before.samples, position) if before else 0
            for gap in (*(before.gaps if before else ()), Gap(reaches, position - reaches, GapCause.FAILURE)):
                add_gap(gaps, Gap(gap.start, max(0, min(gap.end, position) - gap.start), gap.cause))
            for gap in info.gaps:
                start = max(gap.start, position)
                add_gap(gaps, Gap(start, max(0, gap.end - start), gap.cause))
            self.tracks[name] = TrackInfo(name, info.rate_hz, info.samples, tuple(gaps))
            self._from[name] = reaches
        self.earlier = earlier

    def read(self, track: str, start: int, n: int) -> Samples:
        """Samples `start` to `start + n`, zero in gaps and beyond the end.

        Raises `Damaged` when what lies there is not what was sealed.
        """
        out: Samples = np.zeros(n, dtype=np.int16)
        if self.earlier is not None and start < (before := self._from[self._info(track).name]):
            head = min(n, before - max(0, start))
            at = max(0, -start)
            out[at : at + head] = self.earlier.read(track, start + at, min(head, n - at))
        numbers = self._sound[self._info(track).name]
        starts = self._rows["start"][numbers].astype(np.int64)
        first = max(0, int(np.searchsorted(starts, start, side="right")) - 1)
        last = int(np.searchsorted(starts, start + n, side="left"))
        for number in numbers[first:last]:
            at = int(self._rows["start"][number])
            length = int(self._rows["length"][number])
            begin, stop = max(start, at), min(start + n, at + length)
            if begin < stop:
                piece = self._piece(int(number))
                out[begin - start : stop - start] = piece[begin - at : stop - at]
        return out

    def wav(self, track: str) -> WavView:
        """The track as a WAV file that is made as it is read."""
        info = self._info(track)
        return WavView(info.rate_hz, info.samples, lambda start, n: self.read(info.name, start, n))

    def peaks(self, track: str) -> Peaks:
        """The outline of a track for a waveform; 20 pairs a second."""
        info = self._info(track)
        number = list(self.tracks).index(info.name)
        found = np.flatnonzero((self._rows["kind"] == Kind.PEAKS) & (self._rows["track"] == number))
        if len(found):
            peaks = load_peaks(self._plain(int(found[-1])))
            if self.earlier is not None:
                # The twentieth of a second in which it goes on belongs to both.
                before = self.earlier.peaks(track)
                count = min(len(before.low), self._from[track] * PER_SECOND // info.rate_hz, len(peaks.low))
                low, high = peaks.low.copy(), peaks.high.copy()
                low[:count], high[:count] = before.low[:count], before.high[:count]
                peaks = Peaks(low, high)
            return peaks
        outline = Outline(info.rate_hz)
        for start in range(0, info.samples, 10 * info.rate_hz):
            outline.add(start, self.read(track, start, min(10 * info.rate_hz, info.samples - start)))
        return outline.peaks(info.samples)

    def notes(self) -> list[tuple[int, dict[str, object]]]:
        """What was noted with the sound: (milliseconds of the call, what)."""
        numbers = np.flatnonzero(self._rows["kind"] == Kind.EVENT)
        mine = [(int(self._rows["start"][n]), json.loads(self._plain(int(n)))) for n in numbers]
        return (self.earlier.notes() if self.earlier else []) + mine

    def masked(self, mask_key: bytes) -> Iterator[tuple[str, int, Samples]]:
        """What was masked, where it was kept: track, first sample, sound. Raises `Damaged` for another key."""
        cipher, names = RecordCipher(mask_key, self.recording), list(self.tracks)
        for number in np.flatnonzero(self._rows["kind"] == Kind.MASKED):
            row = self._rows[number]
            plain = self._plain(int(number), cipher)
            sound = decode(int(row["coding"]), plain, int(row["length"]))
            yield names[int(row["track"])], int(row["start"]), sound

    def _info(self, track: str) -> TrackInfo:
        try:
            return self.tracks[track]
        except KeyError:
            raise NoRecording("This recording has no such track.") from None

    def _piece(self, number: int) -> Samples:
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        row = self._rows[number]
        samples = decode(int(row["coding"]), self._plain(number), int(row["length"]))
        with self._lock:
            self._cache[number] = samples
            while len(self._cache) > CACHED_PIECES:
                self._cache.popitem(last=False)
        return samples

    def _plain(self, number: int, cipher: RecordCipher | None = None) -> bytes:
        header = unpack(self._raw[number * HEADER_BYTES : (number + 1) * HEADER_BYTES])
        if header is None:
            raise Damaged("Record {number} has no header that can be read.", number=number)
        payload = self._source.read(SEGMENTS, int(self._offsets[number]) + HEADER_BYTES, header.size)
        return (cipher or self._cipher).decrypt(header, payload)


def open_recording(source: Source, keys: KeyRing) -> Recording:
    """Open a recording, sealed or still growing (then as far as it is safe on disk now).

    Raises `NoRecording`, `KeyMissing`, `KeyDestroyed`, `Damaged` or `FormatUnknown`.
    """
    raw = source.whole(HEAD)
    head = load_head(raw)
    key = keys.unwrap(load_key(source.whole(KEY)))
    if key_check(key) != head.key_check:
        raise KeyMissing("The key that lies with this recording belongs to another one.")
    cipher = RecordCipher(key, head.recording)
    try:
        manifest = load_manifest(source.whole(MANIFEST))
        index = source.whole(INDEX)
        if hashlib.sha256(index).hexdigest() != manifest.index or len(index) % HEADER_BYTES:
            raise Damaged("The index is not the one that was sealed.")
    except NoRecording:
        manifest = None
        index = b"".join(p.raw for p in walk(source, SEGMENTS, head, genesis(raw)).placed)
    return Recording(source, head, cipher, index, manifest)
