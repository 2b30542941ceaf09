"""Any stretch of a recording can be read without opening the rest, as samples, as WAV, as a waveform."""

from __future__ import annotations

import io
import random
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audio.taps import Track
from callsvc.recordings.errors import Damaged, KeyMissing, NoRecording
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.peaks import Outline, load_peaks
from callsvc.recordings.reader import Recording, open_recording
from callsvc.recordings.sound import decode, encode
from callsvc.recordings.wav import WavView
from tests.support.recordings import TRACKS, Made, MemorySource, make_recording, sound

pytestmark = pytest.mark.evidence

SECONDS = 40
LOST = range(500, 600)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_recording(tmp_path_factory.mktemp("made"), seconds=SECONDS, lost=LOST)


class CountingSource(MemorySource):
    """Counts what is read of the segment file."""

    read_bytes = 0

    def read(self, name: str, offset: int, length: int) -> bytes:
        part = super().read(name, offset, length)
        if name == SEGMENTS:
            self.read_bytes += len(part)
        return part


def opened(made: Made) -> Recording:
    return open_recording(MemorySource.of(made.directory), made.keys)


def whole(track: Track) -> np.ndarray:
    expected = sound(track, 0, SECONDS * track.rate_hz)
    expected[LOST.start * track.rate_hz // 50 : LOST.stop * track.rate_hz // 50] = 0
    return expected


def test_any_stretch_is_what_was_heard_there(made: Made) -> None:
    rng = random.Random(5)
    recording = opened(made)
    for _ in range(60):
        track = rng.choice(TRACKS)
        start = rng.randrange(SECONDS * track.rate_hz)
        n = rng.choice([1, 159, 5000, 30_000])
        expected = np.zeros(n, dtype=np.int16)
        there = whole(track)[start : start + n]
        expected[: len(there)] = there
        assert np.array_equal(recording.read(track.name, start, n), expected)


def test_a_second_in_the_middle_costs_no_more_than_its_neighbourhood(made: Made) -> None:
    source = CountingSource.of(made.directory)
    counting = CountingSource(source.files)
    recording = open_recording(counting, made.keys)
    assert counting.read_bytes == 0
    recording.read("operator.tx", 30 * 16_000, 16_000)
    assert 0 < counting.read_bytes < len(source.files[SEGMENTS]) / 10


def test_what_was_changed_is_not_played(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    middle = len(files[SEGMENTS]) // 2
    files[SEGMENTS] = files[SEGMENTS][:middle] + b"\0\0\0\0" + files[SEGMENTS][middle + 4 :]
    recording = open_recording(MemorySource(files), made.keys)
    refused = []
    for track in TRACKS:
        for second in range(SECONDS):
            try:
                recording.read(track.name, second * track.rate_hz, track.rate_hz)
            except Damaged:
                refused.append((track.name, second))
    assert 1 <= len(refused) <= 3


def test_an_index_that_was_not_sealed_is_not_used(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    files["index"] = files["index"][72:]
    with pytest.raises(Damaged):
        open_recording(MemorySource(files), made.keys)


def test_another_recordings_key_is_told_apart_from_damage(made: Made, tmp_path: Path) -> None:
    files = MemorySource.of(made.directory).files
    other = make_recording(made.keys.directory.parent, seconds=1)
    files["key.json"] = (other.directory / "key.json").read_bytes()
    with pytest.raises(KeyMissing, match="another"):
        open_recording(MemorySource(files), made.keys)


def test_a_track_that_is_not_there_is_called_that(made: Made) -> None:
    with pytest.raises(NoRecording):
        opened(made).read("operator.rx", 0, 1)


def test_the_wav_is_one_that_others_can_read(made: Made) -> None:
    view = opened(made).wav("operator.tx")
    data = view.read(0, view.size)
    assert len(data) == view.size
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == 16_000
    assert np.array_equal(samples, whole(TRACKS[1]))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getnframes()) == (1, 2, SECONDS * 16_000)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_any_range_of_bytes_is_the_same_as_in_the_whole_file(offset: int, n: int) -> None:
    samples = np.arange(1300, dtype=np.int16)
    view = WavView(8000, 1300, lambda start, count: samples[start : start + count])
    data = view.read(0, view.size)
    assert view.read(offset, n) == data[offset : offset + n]
    assert b"".join(view.chunks(offset, n)) == data[offset : offset + n]


def test_the_outline_shows_how_loud_it_is_and_where_nothing_is(made: Made) -> None:
    peaks = opened(made).peaks("caller.rx")
    assert len(peaks.low) == len(peaks.high) == SECONDS * 20
    expected = whole(TRACKS[0]).reshape(-1, 400)
    assert np.array_equal(peaks.high, np.maximum(expected.max(axis=1), 0) >> 8)
    assert np.array_equal(peaks.low, np.minimum(expected.min(axis=1), 0) >> 8)
    assert not peaks.high[201:239].any()


@given(st.lists(st.integers(1, 900), max_size=12), st.sampled_from([8000, 16_000, 48_000]))
def test_an_outline_does_not_depend_on_how_the_sound_was_cut(sizes: list[int], rate: int) -> None:
    heard = (np.arange(sum(sizes), dtype=np.int64) * 7919 % 60_000 - 30_000).astype(np.int16)
    pieces, whole_outline = Outline(rate), Outline(rate)
    at = 0
    for size in sizes:
        pieces.add(at, heard[at : at + size])
        at += size
    whole_outline.add(0, heard)
    assert pieces.peaks(at).dump() == whole_outline.peaks(at).dump()
    assert load_peaks(pieces.peaks(at).dump()).dump() == pieces.peaks(at).dump()


@given(st.binary(min_size=2, max_size=6000), st.sampled_from([8000, 16_000, 48_000]))
def test_coding_loses_nothing(raw: bytes, rate: int) -> None:
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], dtype=np.int16)
    coding, payload = encode(samples, rate)
    assert np.array_equal(decode(coding, payload, len(samples)), samples)
    assert len(payload) <= len(samples) * 2


@given(st.binary(max_size=400), st.integers(0, 5), st.integers(0, 3000))
def test_decoding_garbage_is_damage_and_nothing_else(raw: bytes, coding: int, length: int) -> None:
    try:
        decode(coding, raw, length)
    except Damaged:
        return
    assert coding == 2
    assert len(raw) == 2 * length
