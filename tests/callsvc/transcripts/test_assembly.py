"""From pieces to utterances: pauses part them, cross-talk is told by level, an unknown language keeps its sound."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from callsvc.transcripts.assembly import assemble
from callsvc.transcripts.inventions import invented
from callsvc.transcripts.listening import HeardPiece, HeardWord

pytestmark = pytest.mark.transcripts


def piece(
    leg: str, start_ms: int, text: str, *, level_db: float = -25.0, language: str | None = "sv"
) -> HeardPiece:
    """Words of 200 ms, one after the other."""
    words = tuple(
        HeardWord(start_ms + 200 * n, start_ms + 200 * n + 200, word, 0.9, level_db=level_db)
        for n, word in enumerate(text.split())
    )
    return HeardPiece(leg, start_ms, start_ms + 200 * max(1, len(words)), language, language or "ti", words)


def told(pieces: Sequence[HeardPiece]) -> list[tuple[str, str, str]]:
    return [(one.leg, one.kind, one.text) for one in assemble(pieces)]


def test_a_pause_of_most_of_a_second_ends_an_utterance() -> None:
    found = assemble(
        [piece("caller", 0, "ja det"), piece("caller", 600, "hände"), piece("caller", 1600, "igår")]
    )
    assert [(one.n, one.start_ms, one.text) for one in found] == [(0, 0, "ja det hände"), (1, 1600, "igår")]


def test_who_speaks_at_the_same_time_is_kept_on_both_legs() -> None:
    assert told([piece("caller", 0, "hjälp mig"), piece("operator", 100, "var är du")]) == [
        ("caller", "speech", "hjälp mig"),
        ("operator", "speech", "var är du"),
    ]


@pytest.mark.parametrize("late_ms", [-400, 0, 150, 480])
def test_the_fainter_of_two_equal_lines_came_through(late_ms: int) -> None:
    spoken, echo = (
        piece("operator", 1000, "Var är du nu?"),
        piece("caller", 1000 + late_ms, "var är du nu", level_db=-45),
    )
    assert sorted(told([spoken, echo])) == [
        ("caller", "crosstalk", "var är du nu"),
        ("operator", "speech", "Var är du nu?"),
    ]


def test_two_who_say_the_same_as_loudly_both_said_it() -> None:
    both = [piece("operator", 1000, "hej hej"), piece("caller", 1100, "hej hej", level_db=-28)]
    assert {kind for _, kind, _ in told(both)} == {"speech"}


def test_one_word_alone_must_be_much_fainter() -> None:
    said = piece("operator", 1000, "ja")
    assert ("caller", "speech", "ja") in told([said, piece("caller", 1100, "ja", level_db=-34)])
    assert ("caller", "crosstalk", "ja") in told([said, piece("caller", 1100, "ja", level_db=-40)])


def test_the_same_words_later_are_an_answer_and_no_cross_talk() -> None:
    said = [piece("operator", 1000, "på torget"), piece("caller", 2200, "på torget", level_db=-50)]
    assert {kind for _, kind, _ in told(said)} == {"speech"}


def test_what_came_through_in_the_middle_of_an_answer_is_parted_from_it() -> None:
    operator = piece("operator", 1000, "var är du nu")
    caller = HeardPiece(
        "caller", 1000, 3000, "sv", "sv",
        (*piece("caller", 1050, "var är du nu", level_db=-48).words, *piece("caller", 2000, "hemma").words),
    )  # fmt: skip
    assert [one for one in told([operator, caller]) if one[0] == "caller"] == [
        ("caller", "crosstalk", "var är du nu"),
        ("caller", "speech", "hemma"),
    ]


def test_a_stretch_in_an_unknown_language_is_there_with_its_time_and_without_words() -> None:
    (found,) = assemble([piece("caller", 4000, "", language=None)])
    assert (found.kind, found.start_ms, found.end_ms, found.text, found.words) == (
        "unknown_language", 4000, 4200, "", [],
    )  # fmt: skip
    assert found.language == "ti"


def test_a_change_of_language_parts_utterances() -> None:
    found = assemble([piece("caller", 0, "jag vet inte"), piece("caller", 700, "help me", language="en")])
    assert [(one.language, one.text) for one in found] == [("sv", "jag vet inte"), ("en", "help me")]


@pytest.mark.parametrize("line", ["Tack för nu!", "Undertexter från Amara.org", "nej nej nej nej nej"])
def test_a_stretch_of_nothing_but_a_known_invention_is_kept_and_marked(line: str) -> None:
    assert invented(line.split())
    (found,) = assemble([piece("caller", 0, line)])
    assert found.text == line
    assert all(word["unsure"] for word in found.words)


def test_a_line_that_merely_holds_such_words_is_not_doubted() -> None:
    assert not invented(["tack", "för", "nu", "ringer", "jag", "igen"])
    assert not invented(["nej", "nej"])


def test_no_pieces_are_no_utterances() -> None:
    assert assemble([]) == []
