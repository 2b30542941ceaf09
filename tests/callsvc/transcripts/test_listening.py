"""No sound, no words; and what is said comes out once, on its leg, in its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from callsvc.transcripts import listening
from callsvc.transcripts.assembly import assemble
from callsvc.transcripts.gate import carried
from callsvc.transcripts.listening import listen
from callsvc.transcripts.pieces import plan, unheard
from models.recogniser import voice
from models.recogniser.words import RATE, Hearing, Word

pytestmark = pytest.mark.transcripts


@dataclass
class Info:
    rate_hz: int
    samples: int


class Tape:
    """A recording of one track."""

    def __init__(self, sound: NDArray[np.int16], rate: int = RATE) -> None:
        self.sound = sound
        self.tracks = MappingProxyType({"caller.rx": Info(rate, len(sound))})

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        assert track in self.tracks
        return self.sound[start : start + n]


class Chatterbox:
    """A recogniser that always hears something, whatever it is given."""

    longest_s = 24.0

    def __init__(self) -> None:
        self.given: list[int] = []

    def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
        self.given.append(len(sound))
        words = (
            Word(0.0, 0.2, "Tack", 0.99),
            Word(0.2, 0.4, "för", 0.99),
            Word(len(sound) / RATE - 0.1, len(sound) / RATE, "nu!", 0.99),
        )
        return Hearing(words, languages[0])


def _noise(seconds: float, level: float) -> NDArray[np.int16]:
    rng = np.random.default_rng(3)
    return (rng.normal(0, level, int(seconds * RATE)) * 32767).astype(np.int16)


@pytest.mark.parametrize(
    "sound", [np.zeros(20 * RATE, np.int16), _noise(20, 0.003), _noise(20, 0.05), np.zeros(0, np.int16)]
)
def test_without_speech_a_recogniser_that_always_talks_is_never_asked(sound: NDArray[np.int16]) -> None:
    chatterbox = Chatterbox()
    assert list(listen(Tape(sound), "caller.rx", "caller", chatterbox, ["sv"], voice.stretches)) == []
    assert chatterbox.given == []


def test_words_outside_speech_are_kept_but_marked_as_unsure() -> None:
    sound = np.zeros(10 * RATE, np.float32)
    tape = Tape((sound * 32767).astype(np.int16))

    class Wanderer(Chatterbox):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            said = ((0.1, 0.5, "ja"), (1.5, 2.5, "fantasi"), (3.1, 3.4, "nej"))
            return Hearing(tuple(Word(a, b, text, 0.9) for a, b, text in said), "sv")

    def two_stretches(sound: NDArray[np.float32], longest_s: float) -> list[tuple[int, int]]:
        return [(RATE, 2 * RATE), (4 * RATE, 5 * RATE)]

    found = listen(tape, "caller.rx", "caller", Wanderer(), ["sv"], two_stretches)
    words = [word for one in found for word in one.words]
    assert [(w.text, w.start_ms, w.unsure) for w in words] == [
        ("ja", 1100, False),
        ("fantasi", 2500, True),
        ("nej", 4100, False),
    ]


def test_a_long_track_is_heard_block_by_block_and_no_stretch_is_cut_or_heard_twice() -> None:
    rate = 8000
    seconds = 2 * listening.BLOCK_S + 40
    spoken = [(5.0, 6.0), (listening.BLOCK_S - 1.0, listening.BLOCK_S + 2.0), (seconds - 3.0, seconds - 2.0)]
    sound = np.zeros(seconds * rate, np.int16)
    for start, end in spoken:
        sound[int(start * rate) : int(end * rate)] = 8000

    def loud(part: NDArray[np.float32], longest_s: float) -> list[tuple[int, int]]:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (np.abs(part) > 0.1).astype(np.int8), [0]])))
        return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 100]

    class Once(Chatterbox):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            self.given.append(len(sound))
            return Hearing((Word(0.0, len(sound) / RATE, "ord", 0.9),), "sv")

    recogniser = Once()
    told: list[float] = []
    found = list(listen(Tape(sound, rate), "caller.rx", "caller", recogniser, ["sv"], loud, told.append))
    again = listen(
        Tape(sound, rate), "caller.rx", "caller", recogniser, ["sv"], loud, known={found[1].start_ms}
    )
    assert [piece.start_ms for piece in again] == [found[0].start_ms, found[2].start_ms]
    heard = [(w.start_ms / 1000, w.end_ms / 1000) for one in found for w in one.words]
    assert np.allclose(heard, spoken, atol=0.02)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_stretch_that_gave_no_word_is_heard_once_more_alone() -> None:
    piece = plan([(0, 100), (150, 250), (300, 310)], longest=1000, widest_pause=100)
    assert len(piece) == 1
    again = unheard(piece[0], [(10, 90)], shortest=20)
    assert [(p.start, p.end) for p in again] == [(150, 250)]
    assert unheard(again[0], [], shortest=20) == []


def test_a_word_without_a_time_of_its_own_says_so_all_the_way() -> None:
    class Vague(Chatterbox):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            return Hearing((Word(0.0, 1.0, "ja", 0.9, timed=False),), "sv")

    def one(sound: NDArray[np.float32], longest_s: float) -> list[tuple[int, int]]:
        return [(0, RATE)]

    pieces = list(listen(Tape(np.zeros(2 * RATE, np.int16)), "caller.rx", "caller", Vague(), ["sv"], one))
    (utterance,) = assemble(pieces)
    assert utterance.words[0]["estimated"] is True
    assert utterance.words[0]["probability"] == 0.9


@st.composite
def _stretches(draw: st.DrawFn) -> list[tuple[int, int]]:
    edges = sorted(draw(st.sets(st.integers(0, 5000), min_size=0, max_size=40)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@given(_stretches(), st.integers(50, 1500), st.integers(1, 300))
def test_every_stretch_is_in_one_piece_and_pieces_are_as_short_as_asked(
    stretches: list[tuple[int, int]], longest: int, widest: int
) -> None:
    pieces = plan(stretches, longest, widest)
    assert [s for piece in pieces for s in piece.stretches] == stretches
    for piece in pieces:
        assert (piece.start, piece.end) == (piece.stretches[0][0], piece.stretches[-1][1])
        assert piece.end - piece.start <= longest or len(piece.stretches) == 1


@given(st.integers(0, 100), st.integers(0, 50), st.lists(st.just((20, 60)), max_size=1))
def test_a_word_is_carried_only_where_half_of_it_lies_in_speech(
    start: int, length: int, stretches: Sequence[tuple[int, int]]
) -> None:
    inside = sum(1 for s in range(start, start + length) if any(a <= s < b for a, b in stretches))
    expected = inside * 2 >= length if length else any(a <= start < b for a, b in stretches)
    assert carried((start, start + length), stretches) == expected
