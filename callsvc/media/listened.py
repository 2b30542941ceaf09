"""A call's taps, heard by the recorder and, as they are, by whoever makes captions of it.

The recorder comes first, and nothing of the other can reach it. What is masked in the recording, nobody else hears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from audio.feed import Feed, FeedTap
from audio.taps import GapCause, Samples, Tap, Track, tell_masked
from callsvc.telephony.ports import RecordedCall, Recording, RecordingStatus
from callsvc.types import Track as Name

# The raw microphone holds the sound of keys: it is for nobody's captions.
HEARD = (Name.CALLER_RX, Name.OPERATOR_TX)


class Both:
    """A tap that tells two."""

    def __init__(self, recorder: Tap, feed: FeedTap) -> None:
        self._recorder = recorder
        self._feed = feed

    def write(self, start: int, samples: Samples) -> None:
        self._recorder.write(start, samples)
        self._feed.write(start, samples)

    def masked(self, start: int, samples: Samples) -> None:
        """Sound that a recorder may keep under two locks, and nobody else hears."""
        tell_masked(self._recorder, start, samples)
        self._feed.gap(start, len(samples), GapCause.MASK)

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        self._recorder.gap(start, length, cause)
        self._feed.gap(start, length, cause)


class HeardCall:
    """A recorded call whose sound goes to the feed, too."""

    def __init__(self, recorded: RecordedCall, feed: Feed, call: UUID, tracks: Sequence[Track]) -> None:
        self._recorded = recorded
        self._feed = feed
        self._call = call
        heard = [track for track in tracks if track.name in HEARD]
        taps = feed.open(call, heard)
        self._taps = {track.name: tap for track, tap in zip(heard, taps, strict=True)}

    def tap(self, track: str) -> Tap:
        recorder = self._recorded.tap(track)
        return Both(recorder, self._taps[track]) if track in self._taps else recorder

    def close(self, lengths: Mapping[str, int], cause: str) -> None:
        self._recorded.close(lengths, cause)
        self._feed.close(self._call)

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        self._recorded.note(at_ms, content)

    def mask(self, reason: str) -> None:
        self._recorded.mask(reason)
        self._cover(True)

    def unmask(self) -> None:
        self._recorded.unmask()
        self._cover(False)

    def _cover(self, covered: bool) -> None:
        for tap in self._taps.values():
            tap.covered = covered


class Listened:
    """A recorder with a feed beside it."""

    def __init__(self, recording: Recording, feed: Feed) -> None:
        self._recording = recording
        self._feed = feed

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> RecordedCall:
        return HeardCall(self._recording.open(call_id, profile, tracks), self._feed, UUID(call_id), tracks)

    def state(self, call_id: str) -> RecordingStatus:
        return self._recording.state(call_id)
