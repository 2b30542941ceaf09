"""A model directory is looked through before anything reaches the library."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.recogniser.directory import check
from models.recogniser.errors import LanguageUnknown, ModelUnusable
from tests.support.model_files import LANGUAGES, model_directory, weights

pytestmark = pytest.mark.transcripts


def test_a_whole_directory_is_accepted_with_its_name_digest_and_languages(tmp_path: Path) -> None:
    path = model_directory(tmp_path / "kb-whisper-tiny")
    card = check(path)
    assert card.name == "kb-whisper-tiny"
    assert card.sha256 == hashlib.sha256((path / "model.bin").read_bytes()).hexdigest()
    assert card.languages == set(LANGUAGES)


def test_a_card_beside_the_model_names_it_and_its_longest_piece(tmp_path: Path) -> None:
    path = model_directory(tmp_path / "m")
    (path / "card.json").write_text(json.dumps({"name": "demo", "longest_s": 10}))
    card = check(path)
    assert (card.name, card.longest_s) == ("demo", 10.0)


def _file_instead(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("kb-whisper")


def _cut(path: Path) -> None:
    data = (path / "model.bin").read_bytes()
    (path / "model.bin").write_bytes(data[: len(data) // 2])


def _swap_digest(path: Path) -> None:
    (path / "checksums.json").write_text(json.dumps({"config.json": "0" * 64}))


def _without_mark(path: Path) -> None:
    content = (path / "tokenizer.json").read_text().replace("<|notimestamps|>", "<|other|>")
    (path / "tokenizer.json").write_text(content)


def _unconverted(path: Path) -> None:
    (path / "model.bin").rename(path / "model.safetensors")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "the directory is not there": (lambda p: shutil.rmtree(p), "is not there"),
    "it is a file": (_file_instead, "is a file"),
    "config.json is missing": (lambda p: (p / "config.json").unlink(), "lacks config.json"),
    "config.json is no JSON": (lambda p: (p / "config.json").write_text("<html>"), "cannot be read as JSON"),
    "config.json is another model's": (lambda p: (p / "config.json").write_text("{}"), "no Whisper model's"),
    "model.bin is missing": (lambda p: (p / "model.bin").unlink(), "lacks model.bin"),
    "the model was never converted": (_unconverted, "not converted"),
    "model.bin is empty": (lambda p: (p / "model.bin").write_bytes(b""), "is empty"),
    "model.bin is cut short": (_cut, "is cut short"),
    "model.bin is a pointer": (
        lambda p: (p / "model.bin").write_text("version https://git-lfs.github.com/spec/v1\n"),
        "is no CTranslate2 model",
    ),
    "model.bin is another kind": (
        lambda p: (p / "model.bin").write_bytes(weights("TransformerSpec")),
        "another kind",
    ),
    "tokenizer.json is missing": (lambda p: (p / "tokenizer.json").unlink(), "lacks tokenizer.json"),
    "tokenizer.json has no tokens": (
        lambda p: (p / "tokenizer.json").write_text("{}"),
        "no tokenizer of Whisper's",
    ),
    "a mark is missing": (_without_mark, "lacks the mark <|notimestamps|>"),
    "the vocabulary is missing": (lambda p: (p / "vocabulary.json").unlink(), "lacks vocabulary.json"),
    "the vocabulary is another model's": (
        lambda p: (p / "vocabulary.json").write_text('["a"]'),
        "of two models",
    ),
    "preprocessor_config.json is missing": (
        lambda p: (p / "preprocessor_config.json").unlink(),
        "lacks preprocessor_config.json",
    ),
    "the input is not Whisper's": (
        lambda p: (p / "preprocessor_config.json").write_text('{"feature_size": 40}'),
        "an input that Whisper has not",
    ),
    "a checksum does not agree": (_swap_digest, "not the file that checksums.json names"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_each_way_to_be_broken_has_its_own_message(how: str, tmp_path: Path) -> None:
    path = model_directory(tmp_path / "model")
    breaking, said = BROKEN[how]
    breaking(path)
    with pytest.raises(ModelUnusable) as caught:
        check(path)
    assert said in caught.value.message
    assert caught.value.hint


def test_no_two_ways_to_be_broken_say_the_same() -> None:
    said = [text for _, text in BROKEN.values()]
    assert len(set(said)) == len(said)


def test_a_file_changed_after_the_first_look_is_found_at_the_next(tmp_path: Path) -> None:
    path = model_directory(tmp_path / "model")
    digests = {
        "model.bin": hashlib.sha256((path / "model.bin").read_bytes()).hexdigest(),
    }
    (path / "checksums.json").write_text(json.dumps(digests))
    check(path)
    (path / "model.bin").write_bytes(weights("WhisperSpec").replace(b"encoder/scale", b"encoder/score"))
    with pytest.raises(ModelUnusable):
        check(path)


def test_a_language_that_the_model_does_not_know_is_refused_not_guessed(tmp_path: Path) -> None:
    card = check(model_directory(tmp_path / "model"))
    card.require("sv")
    with pytest.raises(LanguageUnknown):
        card.require("ti")
