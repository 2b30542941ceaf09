"""The forms of the catalogues: every place of the schema is in one, with words, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from callsvc.web import catalogues, forms
from callsvc.web.shapes_catalogues import FormField
from tests.callsvc.web.test_description import UI

pytestmark = pytest.mark.screens

# What a field is called where one has no word of its own: lines by their profile, languages by theirs.
STEMS = ("form", "profile", "language")
CODECS = {"opus", "G722", "PCMA", "PCMU"}


def words() -> set[str]:
    return set(json.loads((UI / "src/locale/sv.json").read_text(encoding="utf-8")))


def each(fields: list[FormField]) -> Iterator[FormField]:
    for one in fields:
        yield one
        yield from each(one.fields)


def field(kind: str, *names: str) -> FormField:
    fields, found = forms.form(kind), None
    for name in names:
        found = next(one for one in fields if one.name == name)
        fields = found.fields
    assert found is not None
    return found


def test_there_is_a_form_for_every_catalogue() -> None:
    assert forms.MODELS.keys() == catalogues.KINDS.keys()


def test_every_field_list_and_choice_has_words_and_no_word_is_left_over() -> None:
    there, used = words(), set[str]()
    for kind in forms.MODELS:
        for one in each(forms.form(kind)):
            name = f"among.{one.name}" if one.among else one.name
            ways = [f"form.{kind}.{name}", *(f"{stem}.{name}" for stem in STEMS)]
            assert any(way in there for way in ways), (kind, name)
            used |= {*ways, f"form.{kind}.{name}.hint", f"form.{name}.hint"}
            if one.kind == "list":
                assert {f"entries.one.{one.name}", f"entries.add.{one.name}"} <= there
            for option in one.options:
                if option.sv is None and option.value not in CODECS:
                    assert any(
                        f"{way}.{option.value}" in there
                        for way in (f"form.{one.name}", "profile", "language")
                    )
                used.add(f"form.{one.name}.{option.value}")
    assert {key for key in there if key.startswith("form.")} <= used


def test_a_field_says_what_its_schema_does() -> None:
    recall = field("line-profiles", "anonymous", "recall_s")
    assert (recall.kind, recall.whole, recall.least, recall.most, recall.default) == (
        "number",
        True,
        0,
        60,
        60,
    )
    points = field("scorecard", "scale", "choice", "points")
    assert (points.kind, points.whole, points.required, points.default) == ("number", False, False, None)
    assert field("scorecard", "question", "scale").among == "scale"
    assert field("scorecard", "scale", "choice").most == 9
    assert field("line-profiles", "report", "codecs").ordered
    assert (field("guides", "checklist", "item", "sv").lang, field("guides", "label", "sv").longest) == (
        "sv",
        200,
    )
    assert [one.name for one in forms.form("lines")] == ["line"]
    assert field("lines", "line", "profile").options[0].value == "emergency"
    # What can be chosen because other data say so has the names that they give.
    labels = field("retention", "rule", "labels")
    assert (labels.kind, labels.options[0].sv) == ("choices", "Våld i nära relation")
    assert "recording" in [one.value for one in field("lines", "line", "announce").options]
    assert field("lines", "line", "announce").kind == "choice"
    assert {"sv", "en"} <= {one.value for one in field("lines", "line", "language").options}
