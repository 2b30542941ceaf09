"""`callsvc evaluate`: figures that follow from what was said and what was heard, by hand and by the real engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from callsvc.errors import UsageError
from callsvc.transcripts.evaluating import command
from callsvc.transcripts.evaluating.aligning import align, distance, normal
from callsvc.transcripts.evaluating.measuring import Count, add
from callsvc.transcripts.evaluating.references import Reference, SpokenWord, references
from callsvc.transcripts.listening import HeardWord
from models.recogniser import packaged
from models.recogniser.training.evaluate import errors
from tests.support.house import ROOT

pytestmark = pytest.mark.transcripts

FIXTURE = ROOT / "tests/fixtures/recogniser"
WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=9)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_the_alignment_holds_all_words_in_order_and_is_as_short_as_can_be(
    one: list[str], other: list[str]
) -> None:
    pairs = align(one, other)
    assert [pair.spoken for pair in pairs if pair.spoken is not None] == list(range(len(one)))
    assert [pair.heard for pair in pairs if pair.heard is not None] == list(range(len(other)))
    # Another way to the same number.
    assert sum(not pair.same for pair in pairs) == distance(one, other) == errors(one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tolv,", "12", True),
        ("våld", "vald", False),
        ("Ja!", "ja", True),
        ("tjugotre", "23", True),
        ("ö", "o", False),
    ],
)
def test_numbers_and_signs_do_not_matter_and_swedish_letters_do(one: str, other: str, same: bool) -> None:
    assert (normal(one) == normal(other)) is same


def heard(*words: tuple[str, int], estimated: bool = False) -> list[HeardWord]:
    return [HeardWord(at, at + 300, text, 0.9, estimated=estimated) for text, at in words]


def said(*words: tuple[str, int], seconds: float = 36.0) -> Reference:
    spoken = tuple(SpokenWord(text, at, at + 300) for text, at in words)
    return Reference("x.wav", np.zeros(int(seconds * 100), np.int16), 100, spoken)


def counted(one: Reference, found: Sequence[HeardWord]) -> Count:
    count = Count()
    add(count, one, found)
    return count


def test_lost_negations_names_and_numbers_are_counted_apart() -> None:
    one = said(("Anna", 0), ("bor", 400), ("inte", 800), ("på", 1200), ("Storgatan", 1600), ("12", 2000))
    count = counted(one, heard(("anna", 0), ("bor", 400), ("på", 1200), ("storgatan", 1600), ("tolv", 2000)))
    assert (count.spoken, count.wrong) == (6, 1)
    assert (count.critical, count.critical_found) == (4, 3)


def test_words_put_in_where_nobody_speaks_are_inventions_and_others_are_not() -> None:
    one = said(("hej", 1000), ("då", 1400), seconds=36.0)
    count = counted(one, heard(("hej", 1000), ("hej", 1200), ("då", 1400), ("tack", 20_000), ("för", 20_300)))
    assert count.invented == 2
    assert count.silent_s == pytest.approx(36.0 - 1.7)
    silent = Reference("y.wav", np.zeros(3600, np.int16), 100, ())
    assert counted(silent, heard(("tack", 0))).invented == 1


def test_the_error_of_a_start_is_measured_on_right_words_with_times_of_their_own() -> None:
    one = said(("hej", 1000), ("du", 1400))
    assert counted(one, heard(("hej", 1080), ("nu", 1500))).starts_ms == [80]
    assert counted(one, heard(("hej", 1080), estimated=True)).starts_ms == []


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    legs = [soundfile.read(FIXTURE / f"{leg}.flac", dtype="int16")[0] for leg in ("caller", "operator")]
    length = min(map(len, legs))
    soundfile.write(folder / "call.flac", np.stack([leg[:length] for leg in legs], axis=1), 16000)
    turns = json.loads((FIXTURE / "call.json").read_text(encoding="utf-8"))
    lines = [
        {
            "leg": turn["leg"],
            "words": [
                {"text": word, "start_ms": round(1000 * a), "end_ms": round(1000 * b)}
                for word, a, b in turn["words"]
            ],
        }
        for turn in turns
    ]
    (folder / "call.json").write_text(json.dumps({"utterances": lines}), encoding="utf-8")
    soundfile.write(folder / "quiet.wav", np.zeros(5 * 8000, np.int16), 8000)
    (folder / "quiet.txt").write_text("")
    return folder


def test_a_directory_of_ones_own_calls_gives_a_table_and_a_plot(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = [
        str(recordings),
        "--model",
        str(packaged.directory()),
        "--out",
        str(out),
        "--data-dir",
        str(tmp_path),
    ]
    done = CliRunner().invoke(command.app, asked)
    assert done.exit_code == 0, done.output
    (found,) = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert found["words"] > 30
    assert found["wer_pct"] <= 10
    assert found["critical_recall_pct"] >= 80
    assert found["invented_per_silent_hour"] == 0
    assert found["word_start_median_ms"] < 250
    assert "ordfel %" in done.output
    drawn = ElementTree.fromstring((out / "plot.svg").read_text(encoding="utf-8"))
    assert drawn.find("{http://www.w3.org/2000/svg}desc") is not None


def test_each_channel_has_its_own_words(recordings: Path) -> None:
    found = {one.name: one for one in references(recordings)}
    assert set(found) == {"call.flac:caller", "call.flac:operator", "quiet.wav"}
    assert found["quiet.wav"].words == ()
    assert found["call.flac:operator"].words[0].text == "hej"


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"utterances": [{"leg": "caller"}]}'])
def test_a_reference_that_cannot_be_read_is_named(recordings: Path, broken: str) -> None:
    (recordings / "call.json").write_text(broken)
    with pytest.raises(UsageError, match=r"call\.flac"):
        references(recordings)


def test_an_empty_directory_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        references(tmp_path)
    assert "call.json" in caught.value.hint
