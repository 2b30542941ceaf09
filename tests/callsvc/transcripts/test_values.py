"""What spoken numbers, times and dates come to; the words are left alone, and what may be none has no value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsvc.transcripts.personal import marks
from callsvc.transcripts.values.number import digits, number_at, ordinal_at
from callsvc.transcripts.values.phrase import phrase
from callsvc.transcripts.values.value import values

pytestmark = pytest.mark.transcripts

UNITS = [
    "noll",
    "ett",
    "två",
    "tre",
    "fyra",
    "fem",
    "sex",
    "sju",
    "åtta",
    "nio",
    "tio",
    "elva",
    "tolv",
    "tretton",
    "fjorton",
    "femton",
    "sexton",
    "sjutton",
    "arton",
    "nitton",
]
TENS = ["_", "_", "tjugo", "trettio", "fyrtio", "femtio", "sextio", "sjuttio", "åttio", "nittio"]
ENDS = {1: "första", 2: "andra", 3: "tredje", 4: "fjärde", 5: "femte", 6: "sjätte", 7: "sjunde", 8: "åttonde", 9: "nionde",
        10: "tionde", 11: "elfte", 12: "tolfte"}  # fmt: skip


def below_hundred(n: int) -> str:
    return UNITS[n] if n < 20 else TENS[n // 10] + (UNITS[n % 10] if n % 10 else "")


def below_thousand(n: int, gap: str, and_: str, bare: bool) -> str:
    """`gap` parts the words of one group, `and_` stands behind the hundreds; `bare` leaves "ett" out."""
    if n < 100:
        return below_hundred(n)
    head = ("" if bare and n < 200 else UNITS[n // 100] + gap) + "hundra"
    return head + (and_ + below_hundred(n % 100) if n % 100 else "")


def written_out(n: int, gap: str, and_: str, bare: bool) -> str:
    """A number in Swedish words, as one word for each group of three digits, or as several."""
    parts = []
    if n >= 1_000_000:
        many = n // 1_000_000
        parts.append("en miljon" if many == 1 else below_thousand(many, gap, and_, bare) + gap + "miljoner")
    if n // 1000 % 1000:
        many = n // 1000 % 1000
        alone = bare and many == 1 and n < 1_000_000
        one = (
            "tusen"
            if alone
            else (
                "ettusen" if many == 1 and not gap else below_thousand(many, gap, and_, bare) + gap + "tusen"
            )
        )
        parts.append(one)
    if n % 1000 or not n:
        parts.append(below_thousand(n % 1000, gap, and_, bare))
    return " ".join(parts)


@given(
    n=st.one_of(st.integers(0, 9999), st.integers(0, 999_999_999)),
    parted=st.sampled_from([("", ""), (" ", " "), (" ", " och ")]),
    bare=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_number_written_out_is_read_back(n: int, parted: tuple[str, str], bare: bool) -> None:
    words = written_out(n, *parted, bare).split()
    found = number_at(phrase(words), 0)
    assert found is not None
    assert (found.value, found.end, found.doubtful) == (n, len(words), False), words


@given(n=st.integers(0, 99_999), gap=st.sampled_from(["", " "]))
@settings(max_examples=200, deadline=None)
def test_a_line_tells_of_each_number_once_in_one_list_or_the_other(n: int, gap: str) -> None:
    words = ["han", "sa", *written_out(n, gap, gap, False).split(), "igen"]
    marked = marks(words)
    found = [one.value for one in values(words, marked)] + [one.value for one in marked]
    assert found == ([] if n in (1, 6) else [str(n)]), words


@given(n=st.integers(1, 99), hundreds=st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_an_ordinal_is_read_back(n: int, hundreds: int) -> None:
    if n in ENDS:
        last = ENDS[n]
    elif n < 20:
        last = UNITS[n] + ("de" if UNITS[n].endswith("n") else "nde")
    else:
        last = TENS[n // 10] + (ENDS[n % 10] if n % 10 else "nde")
    word = (below_hundred(hundreds) + "hundra" if hundreds else "") + last
    found = ordinal_at(phrase([word]), 0)
    assert found is not None
    assert found.value == 100 * hundreds + n, word


def told(line: str, language: str = "sv") -> list[tuple[str, str, str]]:
    words = line.split()
    return [
        (one.kind, one.value, " ".join(words[one.first : one.last + 1]))
        for one in values(words, marks(words, language), language)
    ]


@pytest.mark.parametrize(
    ("line", "kind", "value", "words"),
    [
        ("jag är trettiofem år", "cardinal", "35", "trettiofem"),
        ("en trettiofemårig man", "cardinal", "35", "trettiofemårig"),
        ("en 35-åring", "cardinal", "35", "35-åring"),
        ("på våning 7.", "cardinal", "7", "7."),
        ("han är sex år", "cardinal", "6", "sex"),
        ("det var etthundratolv då", "cardinal", "112", "etthundratolv"),
        ("det var ett hundra och tolv då", "cardinal", "112", "ett hundra och tolv"),
        ("minus fem grader", "cardinal", "-5", "minus fem"),
        ("nittio procent", "cardinal", "90", "nittio"),
        ("80% säker", "cardinal", "80", "80%"),
        ("två komma fem miljoner", "decimal", "2500000", "två komma fem miljoner"),
        ("fem komma två promille", "decimal", "5.2", "fem komma två"),
        ("noll komma noll fem", "decimal", "0.05", "noll komma noll fem"),
        ("5,2 promille", "decimal", "5.2", "5,2"),
        ("en och en halv timme", "decimal", "1.5", "en och en halv"),
        ("två och ett halvt år", "decimal", "2.5", "två och ett halvt"),
        ("en halv timme", "decimal", "0.5", "en halv"),
        ("två tredjedelar av", "fraction", "2/3", "två tredjedelar"),
        ("ring ett ett två", "digits", "112", "ett ett två"),
        ("den första gången", "ordinal", "1", "första"),
        ("för tjugoandra gången", "ordinal", "22", "tjugoandra"),
        ("den 3:e gången", "ordinal", "3", "3:e"),
        ("klockan halv tre", "time", "02:30|14:30", "halv tre"),
        ("vid halv tre på natten", "time", "02:30", "halv tre på natten"),
        ("halv ett på eftermiddagen", "time", "12:30", "halv ett på eftermiddagen"),
        ("han kom tjugo i åtta.", "time", "07:40|19:40", "tjugo i åtta."),
        ("kvart över tre i eftermiddags", "time", "15:15", "kvart över tre i eftermiddags"),
        ("fem i halv tolv på kvällen", "time", "23:25", "fem i halv tolv på kvällen"),
        ("klockan fem i tolv på natten", "time", "23:55", "fem i tolv på natten"),
        ("klockan tolv på natten", "time", "00:00", "tolv på natten"),
        ("tre minuter över nio", "time", "09:03|21:03", "tre minuter över nio"),
        ("klockan var sju när", "time", "07:00|19:00", "sju"),
        ("klockan sju tjugo personer", "time", "07:00|19:00", "sju"),
        ("klockan nitton och trettio", "time", "19:30", "nitton och trettio"),
        ("klockan noll sju noll fem", "time", "07:05", "noll sju noll fem"),
        ("kl. 14.30 kom han", "time", "14:30", "14.30"),
        ("runt 02:15 ungefär", "time", "02:15", "02:15"),
        ("den tredje maj", "date", "--05-03", "den tredje maj"),
        ("den andra maj", "date", "--05-02", "den andra maj"),
        ("den 3 maj 2024 då", "date", "2024-05-03", "den 3 maj 2024"),
        ("född tredje maj nittonhundraåttiofyra", "date", "1984-05-03", "tredje maj nittonhundraåttiofyra"),
        ("den tredje maj, nitton åttiofyra", "date", "1984-05-03", "den tredje maj, nitton åttiofyra"),
        ("den 3/5 var det", "date", "--05-03", "den 3/5"),
        ("i maj tvåtusen fyra", "date", "2004-05", "maj tvåtusen fyra"),
        ("2024-05-03", "date", "2024-05-03", "2024-05-03"),
    ],
)  # fmt: skip
def test_what_is_said_has_its_value(line: str, kind: str, value: str, words: str) -> None:
    assert (kind, value, words) in told(line)


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        ("i am thirty five years old", "cardinal", "35"),
        ("two hundred and twelve of them", "cardinal", "212"),
        ("three point five", "decimal", "3.5"),
        ("one and a half", "decimal", "1.5"),
        ("at half past two in the afternoon", "time", "14:30"),
        ("a quarter to eight at night", "time", "19:45"),
        ("it was seven thirty p.m. then", "time", "19:30"),
        ("two o'clock", "time", "02:00|14:00"),
        ("the third of May 1984", "date", "1984-05-03"),
        ("on May 3rd", "date", "--05-03"),
        ("the twenty first of june", "date", "--06-21"),
        ("oh seven oh", "digits", "070"),
    ],
)
def test_english_has_its_own_words(line: str, kind: str, value: str) -> None:
    assert (kind, value) in [(one[0], one[1]) for one in told(line, "en")]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "en man och ett barn",
        "vi hade sex då",
        "halv och kvart",
        "den andra mannen",
        "tjugo tre",
        "tusen tack",
        "klockan den stannade",
        "maj och juni",
        "19.30",
        "han ska komma i maj",
        "ett ögonblick",
    ],
)
def test_what_may_be_none_has_none(line: str) -> None:
    assert told(line) == []


@pytest.mark.parametrize(
    "line", ["två bilar", "fem i åtta dagar", "en halv tre", "två tre stycken", "mellan tusen och elva"]
)
def test_what_may_be_two_numbers_is_not_made_one(line: str) -> None:
    assert {kind for kind, _, _ in told(line)} <= {"cardinal"}
    assert {value for _, value, _ in told(line)} <= {"2", "3", "5", "8", "11", "1000"}


def test_a_day_that_no_month_has_is_no_date() -> None:
    assert told("den trettioförsta juni") == [("ordinal", "31", "trettioförsta")]


def test_no_language_of_ours_has_digits_alone() -> None:
    assert told("trzydzieści pięć fem", "pl") == []
    assert told("جاء 35 شخصا", "ar") == [("cardinal", "35", "35")]
    assert told("trettiofem", "") == [("cardinal", "35", "trettiofem")]


def test_a_value_is_no_mark_for_personal_data() -> None:
    for line in (
        "jag är trettiofem år",
        "klockan halv tre",
        "den tredje maj",
        "fem komma två",
        "ett ett två",
    ):
        assert marks(line.split()) == []


def test_what_a_mark_tells_the_digits_of_is_not_told_twice() -> None:
    assert told("ring noll sju noll tolv trettiofyra femtiosex sjuttioåtta") == []
    words = ["född", "tredje", "maj", "nitton", "åttiofyra"]
    marked = marks(words)
    assert [one.value for one in values(words, marked)] == ["1984-05-03"]
    assert [one.value for one in marked] == ["1984"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("sju", "7"),
        ("tjugotre", "23"),
        ("nittonhundraåttiofyra", "1984"),
        ("tvåtusenfyra", "2004"),
        ("tjugoettusen", "21000"),
        ("070-123", "070123"),
        ("112.", "112"),
        ("hemma", None),
        ("tjugoapa", None),
        ("tusende", None),
        ("", None),
    ],
)
def test_a_word_comes_to_its_digits(word: str, found: str | None) -> None:
    assert digits(word) == found
