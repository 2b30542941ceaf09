"""How the library is asked: one set of options, for what may become evidence, and only the first look is kept."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.recogniser import whisper
from models.recogniser.directory import check
from models.recogniser.errors import LanguageUnknown
from models.recogniser.tongue import choose
from models.recogniser.words import RATE
from tests.support.house import ROOT
from tests.support.model_files import model_directory

pytestmark = pytest.mark.transcripts


@dataclass
class Said:
    start: float
    end: float
    word: str
    probability: float = 0.9


@dataclass
class Segment:
    seek: int
    words: list[Said]
    text: str = ""
    avg_logprob: float = 0.0


@dataclass
class Told:
    language: str
    all_language_probs: list[tuple[str, float]]


class Library:
    """In the place of faster-whisper: notes how it was asked, and answers with these segments."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.asked: dict[str, Any] = {}
        self.opened: dict[str, Any] = {}
        self.encoded: list[tuple[int, ...]] = []
        self.probabilities = [("sv", 0.9), ("no", 0.05)]

    def WhisperModel(self, path: str, **how: Any) -> Library:  # noqa: N802  the library's name
        self.opened = {"path": path, **how}
        return self

    def encode(self, features: NDArray[np.float32]) -> object:
        self.encoded.append(features.shape)
        return object()

    def transcribe(self, sound: NDArray[np.float32], **how: Any) -> tuple[list[Segment], Told]:
        self.asked = how
        window = np.zeros((80, 3000), np.float32)
        window[:, : len(sound) * 100 // RATE] = 0.5
        self.encode(window)
        return self.segments, Told(how["language"] or self.probabilities[0][0], self.probabilities)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    double = Library([Segment(0, [Said(0.0, 0.4, " ja"), Said(0.4, 9.0, " tack")])])
    monkeypatch.setattr(whisper, "faster_whisper", lambda: double)
    return double


SOUND = np.zeros(2 * RATE, np.float32)


def test_words_come_with_times_that_lie_in_the_sound(library: Library, tmp_path: Path) -> None:
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    found = model.hear(SOUND, ["sv"])
    assert found.language == "sv"
    assert [(w.text, w.start_s, w.end_s) for w in found.words] == [("ja", 0.0, 0.4), ("tack", 0.4, 2.0)]


def test_what_a_second_look_at_the_rest_invents_is_not_kept(library: Library, tmp_path: Path) -> None:
    library.segments.append(Segment(180, [Said(1.8, 2.0, " Undertexter")]))
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    assert [w.text for w in model.hear(SOUND, ["sv"]).words] == ["ja", "tack"]


def test_a_short_answer_whose_times_the_library_cannot_find_is_not_lost(
    library: Library, tmp_path: Path
) -> None:
    library.segments[:] = [Segment(0, [], " ja det stämmer inte")]
    found = whisper.Whisper(check(model_directory(tmp_path / "model"))).hear(SOUND, ["sv"]).words
    assert not any(word.timed for word in found)
    assert [(w.text, w.start_s, w.end_s) for w in found] == [
        ("ja", 0.0, 0.5), ("det", 0.5, 1.0), ("stämmer", 1.0, 1.5), ("inte", 1.5, 2.0),
    ]  # fmt: skip


def test_the_options_are_those_for_evidence(library: Library, tmp_path: Path) -> None:
    whisper.Whisper(check(model_directory(tmp_path / "model"))).hear(SOUND, ["sv"])
    assert library.asked == whisper.options(None)
    assert library.asked["condition_on_previous_text"] is False
    assert library.asked["vad_filter"] is False
    assert library.asked["word_timestamps"] is True
    assert library.asked["temperature"] == [0.0, 0.2, 0.4]
    assert library.opened["local_files_only"] is True


def test_time_marks_in_the_text_are_asked_for_where_they_are_wanted(library: Library, tmp_path: Path) -> None:
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    assert [w.text for w in model.hear(SOUND, ["sv"], marks=True).words] == ["ja", "tack"]
    assert library.asked == whisper.options(None, marks=True)
    assert library.asked["without_timestamps"] is False
    assert whisper.options(None)["without_timestamps"] is True


def test_an_unknown_language_never_reaches_the_library(library: Library, tmp_path: Path) -> None:
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    with pytest.raises(LanguageUnknown):
        model.hear(SOUND, ["ti"])
    assert library.asked == {}


def test_a_model_of_short_windows_is_not_given_the_filling(library: Library, tmp_path: Path) -> None:
    path = model_directory(tmp_path / "model")
    (path / "card.json").write_text('{"window_s": 6.0}')
    whisper.Whisper(check(path)).hear(SOUND, ["sv"])
    assert library.encoded == [(80, 600)]


def test_a_piece_in_a_language_that_is_not_allowed_is_not_written(library: Library, tmp_path: Path) -> None:
    library.probabilities = [("pl", 0.8), ("sv", 0.1)]
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    unknown = model.hear(SOUND, ["sv", "en"])
    assert (unknown.words, unknown.language, unknown.likely) == ((), None, "pl")
    assert model.hear(SOUND, ["sv", "pl"]).language == "pl"
    assert library.asked["language"] is None


def test_nobody_can_tell_a_language_is_not_taken_for_the_expected_one() -> None:
    unclear = {"am": 0.3, "ar": 0.3, "sv": 0.1}
    assert choose(unclear, ["sv", "ar"], 5.0) is None
    assert choose({"no": 0.6, "sv": 0.35}, ["sv"], 5.0) == "sv"
    assert choose({"en": 0.9}, ["sv", "en"], 5.0) == "en"


def test_a_short_answer_is_taken_to_be_in_the_expected_language() -> None:
    assert choose({"en": 0.9}, ["sv"], 0.8) == "sv"


def test_a_sketch_is_given_hardly_more_than_its_sound_and_is_nothing_when_it_goes_round(
    library: Library, tmp_path: Path
) -> None:
    model = whisper.Whisper(check(model_directory(tmp_path / "model")))
    library.segments[:] = [Segment(0, [], " vad har hänt")]
    assert model.sketch(SOUND, "sv") == ["vad", "har", "hänt"]
    assert library.encoded[-1] == (80, 300)
    assert library.asked == whisper.options("sv", live=True)
    library.segments[:] = [Segment(0, [], " ja och ja och ja och ja och")]
    assert model.sketch(SOUND, "sv") == []


def test_a_window_is_never_shorter_than_its_sound_and_has_an_even_number_of_frames() -> None:
    window = np.zeros((80, 3000), np.float32)
    assert whisper.in_window(window, 4.0).shape == (80, 400)
    window[3, 500] = 1.0
    assert whisper.in_window(window, 4.0).shape == (80, 502)


def test_nobody_but_the_recogniser_speaks_with_the_library() -> None:
    allowed = {ROOT / "models/recogniser/library.py"}
    for package in ("audio", "models", "callsvc"):
        for file in (ROOT / package).rglob("*.py"):
            if file in allowed or "training" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                assert not any(name.split(".")[0] in ("faster_whisper", "ctranslate2") for name in names), (
                    file
                )
