"""`callsvc models`: what is known and what lies here; several side by side, one for each purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callsvc.config import Settings, TranscriptSettings
from callsvc.errors import MissingPart, UsageError
from callsvc.transcripts import command, models
from callsvc.transcripts.models import Purpose
from models.recogniser import check, packaged
from tests.support.model_files import model_directory

pytestmark = pytest.mark.transcripts

RUNNER = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    for name in ("kb-whisper-small", "kb-whisper-large"):
        model_directory(tmp_path / "models" / name)
    return tmp_path


def run(data: Path, *words: str) -> str:
    done = RUNNER.invoke(command.app, [*words, "--data-dir", str(data)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def settings(data: Path, **named: Path) -> Settings:
    return Settings(data_dir=data, transcripts=TranscriptSettings.model_validate(named))


def test_the_list_shows_what_is_known_and_what_is_here(data: Path) -> None:
    run(data, "use", "final", "kb-whisper-large")
    lines = {line.split()[0]: line for line in run(data, "list").splitlines() if line.startswith("kb-")}
    assert "Apache-2.0" in lines["kb-whisper-tiny"]
    assert "13.2 / 12.9 / 11.2" in lines["kb-whisper-tiny"]
    assert "?" not in lines["kb-whisper-tiny"]
    unconfirmed = [line for line in run(data, "list").splitlines() if line.startswith("whisper-medium")]
    assert "17.1 ?" in unconfirmed[0]
    assert "finns här, används för utskrifter" in lines["kb-whisper-large"]
    assert lines["kb-whisper-small"].endswith("[finns här]")


def test_two_models_serve_side_by_side(data: Path) -> None:
    run(data, "use", "final", "kb-whisper-large")
    run(data, "use", "live", "kb-whisper-small")
    assert models.card(settings(data)).name == "kb-whisper-large"
    assert models.card(settings(data), Purpose.LIVE).name == "kb-whisper-small"


def test_a_directory_in_the_settings_goes_before_the_choice(data: Path) -> None:
    run(data, "use", "final", "kb-whisper-large")
    named = settings(data, model_dir=data / "models" / "kb-whisper-small")
    assert models.card(named).name == "kb-whisper-small"


def test_nothing_chosen_is_said_with_what_to_do(data: Path) -> None:
    with pytest.raises(MissingPart) as caught:
        models.card(settings(data))
    assert "callsvc models" in caught.value.hint


def test_a_model_that_is_broken_cannot_be_chosen(data: Path) -> None:
    (data / "models" / "kb-whisper-large" / "model.bin").write_bytes(b"")
    with pytest.raises(MissingPart, match="is empty"):
        run(data, "use", "final", "kb-whisper-large")
    assert models.chosen(settings(data)) == {}


@pytest.mark.parametrize("name", ["../models/kb-whisper-small", "/etc", "..", ""])
def test_a_name_is_no_way_to_another_place(data: Path, name: str) -> None:
    with pytest.raises(UsageError):
        run(data, "use", "final", name)


def test_check_tells_a_whole_model_from_a_broken_one(data: Path) -> None:
    assert "kb-whisper-small är hel" in run(data, "check", "kb-whisper-small")
    (data / "models" / "kb-whisper-small" / "tokenizer.json").unlink()
    with pytest.raises(MissingPart, match=r"lacks tokenizer\.json"):
        run(data, "check", "kb-whisper-small")


def test_only_a_model_of_the_catalogue_is_fetched(data: Path) -> None:
    with pytest.raises(UsageError):
        run(data, "fetch", "https://example.org/model")


@pytest.mark.parametrize("noted", ["", "[]", '{"final": 3', '{"other": "x"}'])
def test_a_damaged_note_of_the_choice_is_no_choice(data: Path, noted: str) -> None:
    (data / "models" / models.IN_USE).write_text(noted)
    assert models.chosen(settings(data)) == {}


def test_the_packaged_model_is_whole_is_labelled_and_can_be_chosen_by_name(data: Path) -> None:
    found = check(packaged.directory())
    assert found.size < 8_000_000
    assert found.name == packaged.NAME
    assert json.loads((packaged.directory() / "checksums.json").read_text()).keys() >= {
        "model.bin",
        "tokenizer.json",
    }
    line = next(one for one in run(data, "list").splitlines() if one.startswith(packaged.NAME))
    assert "demonstration" in line
    run(data, "use", "live", packaged.NAME)
    assert models.card(settings(data), Purpose.LIVE).path == packaged.directory()
    assert packaged.NAME in run(data, "check", packaged.NAME)
