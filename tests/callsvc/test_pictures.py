"""Pictures of sound: what is loud glows, what is marked is where it was."""

from __future__ import annotations

import numpy as np
import pytest

from callsvc.pictures import COLOURS, COLUMNS, MARK, ROWS, Labels, Spectrogram, before_after, spectrogram
from tests.support.streams import clicks, noise

pytestmark = pytest.mark.quiet

WORDS = Labels("Åäö", "Före", "Efter", "3 nedslag")


def test_a_tone_is_bright_in_its_own_row_only() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    levels, seconds = spectrogram(tone, 16000).levels()
    assert seconds == 1.0
    assert levels.shape[0] == ROWS
    row = int(levels[:, 50].argmax())
    assert levels[row, 50] == pytest.approx(0.0, abs=1.5), "full scale is 0 dB"
    assert levels[row + 30, 50] < -60
    assert levels[row - 30, 50] < -60


def test_pieces_give_what_the_whole_gives() -> None:
    signal = noise(2, 0.1)
    pieces = Spectrogram(16000)
    for start in range(0, len(signal), 777):
        pieces.add(signal[start : start + 777])
    assert np.array_equal(pieces.levels()[0], spectrogram(signal, 16000).levels()[0])


def test_a_long_sound_keeps_its_clicks_in_no_more_columns() -> None:
    long = Spectrogram(16000)
    for n in range(200):
        long.add(clicks(1, [0.5]) if n == 100 else np.zeros(16000, np.float32))
    levels, seconds = long.levels()
    assert seconds == 200.0
    assert levels.shape[1] <= COLUMNS
    loud = levels.max(axis=0)
    assert loud.argmax() / levels.shape[1] * 200 == pytest.approx(100.5, abs=0.2)
    assert loud.max() > -60


def test_strokes_are_marked_where_they_were() -> None:
    signal = noise(4, 0.01)
    image = before_after(spectrogram(signal, 16000), spectrogram(signal, 16000), [1.0, 2.0, 3.0], WORDS, 1104)
    pixels = np.asarray(image)
    row = pixels[92 + 3]
    marked = np.flatnonzero((row == MARK).all(axis=1))
    assert {round((x - 74) / 1000 * 4) for x in marked} == {1, 2, 3}
    bare = np.asarray(before_after(spectrogram(signal, 16000), spectrogram(signal, 16000), [], WORDS, 1104))
    assert not (bare[92 + 3] == MARK).all(axis=1).any()


def test_after_a_mute_the_lower_picture_is_dark() -> None:
    signal = noise(2, 0.1)
    image = before_after(spectrogram(signal, 16000), spectrogram(signal * 0, 16000), [], WORDS, 1104)
    pixels = np.asarray(image).astype(int)
    upper, lower = pixels[150:300, 100:1000], pixels[450:600, 100:1000]
    assert upper.mean() > 60
    assert np.abs(lower - np.array(COLOURS[0][1])).max() <= 1


def test_letters_with_marks_differ_from_those_without() -> None:
    quiet = spectrogram(np.zeros(16000, np.float32), 16000)
    with_marks = before_after(quiet, quiet, [], Labels("Åäö é", "a", "b", "c"))
    without = before_after(quiet, quiet, [], Labels("Aao e", "a", "b", "c"))
    assert np.asarray(with_marks).shape == np.asarray(without).shape
    changed = np.flatnonzero((np.asarray(with_marks) != np.asarray(without)).any(axis=(1, 2)))
    assert changed.min() >= 6
    assert changed.max() <= 22, "only above the letters of the title"


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 3601.0])
def test_any_length_has_a_picture(seconds: float) -> None:
    made = Spectrogram(8000)
    for _ in range(int(seconds // 60)):
        made.add(np.zeros(8000 * 60, np.float32))
    made.add(np.zeros(int((seconds % 60) * 8000), np.float32))
    assert before_after(made, made, [], WORDS).size == (1400, 708)
