"""Announcements by language, and places for those that no machine speaks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callsvc.errors import ConfigurationError
from callsvc.telephony import announcements

pytestmark = pytest.mark.call


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A directory of somebody's own, as it was packaged."""
    directory = tmp_path / "announcements"
    shutil.copytree(announcements.PACKAGED, directory, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return directory


def test_a_language_that_nobody_has_read_yet_is_named_and_not_offered() -> None:
    found = announcements.load()
    assert set(found) == {"recording", "wait", "interpreter"}
    for spoken in found.values():
        assert set(spoken) == {"sv", "en", "ar", "pl"}
    assert announcements.unspoken() == [
        f"{name}.{language}.ogg" for name in ("recording", "wait", "interpreter") for language in ("so", "ti")
    ]


def test_every_text_is_there_in_the_callers_languages_whether_spoken_or_not() -> None:
    for one in announcements.texts():
        assert set(one.words) == {"sv", "en", "ar", "so", "pl", "ti"}, one.id
        assert len({*one.words.values()}) == 6
        assert one.unchecked == {"ar", "so", "pl", "ti"}
        assert any("\u1200" <= letter <= "\u137f" for letter in one.words["ti"])


def test_a_file_that_is_put_there_is_offered_and_missing_no_longer(own: Path) -> None:
    shutil.copy(own / "wait.sv.ogg", own / "wait.so.ogg")
    assert "so" in announcements.load(own)["wait"]
    assert "wait.so.ogg" not in announcements.unspoken(own)
    assert "wait.ti.ogg" in announcements.unspoken(own)


def test_a_text_without_its_file_is_a_mistake_and_no_place_that_is_kept(own: Path) -> None:
    (own / "wait.pl.ogg").unlink()
    with pytest.raises(ConfigurationError, match=r"wait\.pl\.ogg"):
        announcements.load(own)
