"""What is said is kept without a language, and read in the reader's."""

from __future__ import annotations

import errno
import json
import os
import re
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from callsvc.errors import ConfigurationError, MissingPart, NotFound, PortTaken, Unavailable
from callsvc.locale import LANGUAGES, text, unfit
from callsvc.locale.said import Said, Several, of, sentences
from models.errors import ModelError

pytestmark = pytest.mark.house

DENIED = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/x")
ABSENT = MissingPart("The model in {path} lacks {name}.", path="/m", name="model.bin")


def test_an_error_is_english_in_a_log_and_the_readers_on_a_screen() -> None:
    error = PortTaken("Port {port} ({setting}) is taken by another program.", port=80, setting="web.port")
    assert str(error) == error.message == "Port 80 (web.port) is taken by another program."
    what, to_do = error.told("sv")
    assert what == "Port 80 (web.port) används av ett annat program."
    assert to_do.startswith("Stoppa det andra programmet")
    assert error.told("en") == (error.message, error.hint)


def test_an_error_without_words_says_what_its_kind_is() -> None:
    assert NotFound().told("sv") == ("Det finns inte.", "")
    assert Unavailable().told("en") == (
        "A part of the service is away for the moment.",
        "Try again in a moment.",
    )


def test_values_that_are_words_are_said_in_the_same_language() -> None:
    error = ConfigurationError("The data directory {path} cannot be used: {why}.", path="/srv", why=DENIED)
    assert error.told("sv")[0] == "Datakatalogen /srv går inte att använda: behörighet saknas."
    assert error.message == "The data directory /srv cannot be used: Permission denied."
    assert text("cli.error", "sv", message=ABSENT) == "Fel: Modellen i /m saknar model.bin."


def test_a_models_error_is_told_as_ours() -> None:
    error = MissingPart.of(ModelError("{file} is empty.", "Make room.", file="model.bin"))
    assert error.told("sv") == ("model.bin är tom.", "Frigör utrymme.")
    assert error.told("en") == ("model.bin is empty.", "Make room.")


@pytest.mark.parametrize(
    "said",
    [
        ABSENT.said,
        Said("{findings}", {"findings": Several([ABSENT.said, NotFound().said], " ")}),
        Said("What came of {name} is no whole model: {why}", {"name": "x", "why": ABSENT.said}),
        Said("words of another {program}"),
    ],
    ids=lambda said: said.words,
)
def test_what_is_kept_is_read_again_in_either_language(said: Said) -> None:
    for lang in LANGUAGES:
        assert Said.load(said.dump()).sentence(lang) == said.sentence(lang)


def test_what_the_system_said_is_kept_as_words() -> None:
    kept = Said("{directory} cannot be made: {why}.", {"directory": "/x", "why": DENIED}).dump()
    assert Said.load(kept).sentence("sv") == "/x går inte att skapa: behörighet saknas."


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("The model is away.", "The model is away."),
        ("{", "{"),
        ("[1]", "[1]"),
        ('{"words": "x"}', '{"words": "x"}'),
        ('{"en": "old", "words": "{a.__class__} no sentence", "values": {"a": "x"}}', "old"),
        ('{"en": "old", "words": "{a:>999999999}", "values": {"a": "x"}}', "old"),
        ('{"en": "old", "words": "{file} is empty.", "values": {}}', "{file} är tom."),
        ('{"en": "old", "words": "{file} is empty.", "values": {"other": 1}}', "old"),
        ('{"en": "old", "words": "{file} is empty.", "values": 7}', "old"),
        ("[" * 50_000, "[" * 50_000),
    ],
)
def test_what_is_none_of_ours_is_said_as_it_stands_and_filled_into_nothing(kept: str, read: str) -> None:
    assert Said.load(kept).sentence("sv") == read


def test_another_program_s_error_has_its_own_words() -> None:
    assert of(ValueError("so")).sentence("sv") == "so"
    assert of(ValueError()).sentence("sv") == "ValueError"


class Shape(BaseModel):
    port: int = Field(ge=1, le=9)
    name: Annotated[str, Field(pattern=r"^\d+$")] = "1"
    more: list[int] = []


@pytest.mark.parametrize(
    ("given", "swedish"),
    [
        ({}, "port: saknas"),
        ({"port": "x"}, "port: ska vara ett heltal"),
        ({"port": 10}, "port: är för stort, högst 9"),
        ({"port": 1, "more": 7}, "more: ska vara en lista"),
        ({"port": 1, "more": ["x", 0.5]}, "more.0: ska vara ett heltal; more.1: ska vara ett heltal"),
        ({"port": 1, "name": "hemligt"}, "name: går inte att använda (string_pattern_mismatch)"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place_and_never_with_what_was_given(
    given: dict[str, object], swedish: str
) -> None:
    with pytest.raises(ValidationError) as wrong:
        Shape.model_validate(given)
    assert unfit.said(wrong.value).sentence("sv") == swedish
    assert json.loads(Said("{faults}", {"faults": unfit.said(wrong.value)}).dump())["en"]


def test_no_swedish_sentence_holds_english() -> None:
    words = r"\b(the|is|are|not|was|were|cannot|there|and|with|must|your|you|this|that|it|of)\b"
    assert [
        one for one in sentences("sv").values() if re.search(words, re.sub(r"[`{].*?[`}]", "", one))
    ] == []
