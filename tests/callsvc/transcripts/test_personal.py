"""Marks for possible personal data: by what stands there, with what it comes to; the words are left alone."""

from __future__ import annotations

import pytest

from callsvc.transcripts.personal import marks

pytestmark = pytest.mark.transcripts


@pytest.mark.parametrize(
    ("line", "kind", "value", "words"),
    [
        ("mitt nummer är 19840312-1234 tror jag", "personal_number", "19840312-1234", "19840312-1234"),
        (
            "nitton åttiofyra noll tre tolv ett två tre fyra",
            "personal_number",
            "19840312-1234",
            "nitton åttiofyra noll tre tolv ett två tre fyra",
        ),
        # A digit that was heard wrongly: no check digit fits, and it is marked all the same.
        ("840312 12 35", "personal_number", "840312-1235", "840312 12 35"),
        ("ring noll sju noll ett två tre fyra fem sex sju", "phone", "0701234567", "noll sju noll ett två tre fyra fem sex sju"),
        ("koden är 4711", "number", "4711", "4711"),
        ("tre tusen fem hundra kronor", "number", "3500", "tre tusen fem hundra"),
        ("noll åtta fyra hundra femtio noll noll", "number", "0845000", "noll åtta fyra hundra femtio noll noll"),
        ("ett nio åtta fyra noll tre tolv ett två tre fyra", "personal_number", "19840312-1234", "ett nio åtta fyra noll tre tolv ett två tre fyra"),
        ("jag bor på Storgatan tolv.", "address", "Storgatan 12", "Storgatan tolv."),
        ("bilen är ABC 123 nej ABC12D", "plate", "ABC12D", "ABC12D"),
        ("skriv till anna.berg@example.se", "email", "anna.berg@example.se", "anna.berg@example.se"),
        ("skriv till anna snabela example punkt se", "email", "anna@example.se", "anna snabela example punkt se"),
        ("jag heter Fatima Hassan Ali och", "name", "Fatima Hassan Ali", "Fatima Hassan Ali"),
        ("det var björn", "name", "björn", "björn"),
    ],
)  # fmt: skip
def test_what_may_be_personal_is_marked_with_what_it_comes_to(
    line: str, kind: str, value: str, words: str
) -> None:
    split = line.split()
    found = [mark for mark in marks(split) if mark.kind == kind]
    assert [(mark.value, " ".join(split[mark.first : mark.last + 1])) for mark in found] == [(value, words)]


@pytest.mark.parametrize(
    "line", ["", "jag är inte skadad", "två bilar och en cykel", "klockan tio", "det var en gata"]
)
def test_ordinary_words_are_not_marked(line: str) -> None:
    assert marks(line.split()) == []


def test_no_word_is_in_two_marks() -> None:
    found = marks(
        ["Anna", "bor", "på", "Annagatan", "12", "och", "har", "0701234567", "och", "anna@example.se"]
    )
    places = [n for mark in found for n in range(mark.first, mark.last + 1)]
    assert len(places) == len(set(places))
    assert [mark.kind for mark in found] == ["name", "address", "phone", "email"]
