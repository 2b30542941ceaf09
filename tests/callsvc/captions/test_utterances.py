"""Utterances as the sound comes in, interim words that are not taken back, and one queue in which finals go first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callsvc.captions.agreement import Agreement
from callsvc.captions.ear import Ear
from callsvc.captions.scheduler import MOST_WAIT_S, Scheduler, Work
from callsvc.captions.utterances import LONGEST, Spoken, Utterances
from models.recogniser.voice import WINDOW
from models.recogniser.words import RATE

pytestmark = pytest.mark.transcripts

CALLS = [UUID(int=n) for n in range(8)]


class Loud:
    """Speech is what is loud."""

    def __init__(self) -> None:
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)

    def __call__(self, sound: NDArray[np.float32]) -> list[float]:
        whole = np.concatenate([self._rest, sound])
        count = len(whole) // WINDOW
        self._rest = whole[count * WINDOW :]
        return [float(np.abs(one).max() > 0.1) for one in whole[: count * WINDOW].reshape(count, WINDOW)]


def sound(*parts: tuple[float, float]) -> NDArray[np.float32]:
    """Seconds at a level, one after the other."""
    return np.concatenate([np.full(int(s * RATE), level, np.float32) for s, level in parts])


def spoken(whole: NDArray[np.float32], step: int = 320) -> list[tuple[float, float]]:
    utterances = Utterances(Loud())
    found = [u for at in range(0, len(whole), step) for u in utterances.push(whole[at : at + step])]
    found += utterances.end()
    assert [u.n for u in found] == sorted({u.n for u in found})
    for u in found:
        assert u.final
        assert np.array_equal(u.sound, whole[u.start : u.end])
    return [(round(u.start / RATE, 1), round(u.end / RATE, 1)) for u in found]


def test_an_utterance_has_a_moment_before_it_and_ends_after_half_a_second_of_quiet() -> None:
    assert spoken(sound((1, 0), (1, 0.5), (2, 0), (1, 0.5), (0.2, 0))) == [(0.7, 2.5), (3.7, 5.2)]


def test_a_short_pause_ends_nothing() -> None:
    assert len(spoken(sound((1, 0.5), (0.3, 0), (1, 0.5), (1, 0)))) == 1


def test_who_does_not_stop_is_cut_at_twelve_seconds_and_nothing_is_lost() -> None:
    found = spoken(sound((0.5, 0), (30, 0.5), (1, 0)))
    assert len(found) == 3
    assert all(end - start <= LONGEST / RATE + 0.1 for start, end in found)
    assert found[-1][1] - found[0][0] == pytest.approx(sum(b - a for a, b in found), abs=0.7)


def test_a_click_is_no_utterance() -> None:
    assert spoken(sound((1, 0), (0.02, 0.5), (2, 0))) == []


@settings(deadline=None, max_examples=20)
@given(st.integers(200, 5000))
def test_the_pieces_in_which_sound_comes_do_not_matter(step: int) -> None:
    whole = sound((1, 0), (1, 0.5), (2, 0), (1, 0.5), (1, 0))
    assert spoken(whole, step) == spoken(whole)


def test_only_what_waits_is_kept_in_memory() -> None:
    utterances = Utterances(Loud())
    for _ in range(200):
        assert list(utterances.push(np.zeros(RATE, np.float32))) == []
    assert len(utterances._sound) < RATE


def hear(ear: Ear, rate: int, start_s: float, level: float, seconds: float) -> Iterator[Spoken]:
    for at in range(int(start_s * rate), int((start_s + seconds) * rate), rate // 50):
        yield from ear.hear(at, np.full(rate // 50, int(level * 32767), np.int16))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_an_ear_gives_interim_work_each_second_and_the_whole_at_the_end(rate: int) -> None:
    ear = Ear(rate, Loud())
    found = [*hear(ear, rate, 0, 0, 1), *hear(ear, rate, 1, 0.5, 3.5), *hear(ear, rate, 4.5, 0, 1)]
    assert [u.final for u in found] == [False, False, False, False, True]
    assert all(abs(u.start / RATE - 0.7) < 0.1 for u in found)
    assert abs(found[-1].end / RATE - 5.0) < 0.1


def test_silence_that_is_not_sent_ends_an_utterance_too() -> None:
    ear = Ear(8000, Loud())
    found = list(hear(ear, 8000, 0, 0.5, 1))
    for n in range(50):
        found += ear.gap(8000 + n * 160, 160)
    assert [u.final for u in found if u.final] == [True]


@pytest.mark.parametrize("told", [True, False])
def test_a_long_hole_ends_an_utterance_and_later_sound_keeps_its_time(told: bool) -> None:
    ear = Ear(8000, Loud())
    found = list(hear(ear, 8000, 0, 0.5, 1))
    if told:
        found += ear.gap(8000, 5 * 8000)
    found += [*hear(ear, 8000, 6, 0.5, 1), *ear.end()]
    edges = [edge / RATE for u in found if u.final for edge in (u.start, u.end)]
    assert edges == pytest.approx([0.0, 1.0, 6.0, 7.0], abs=0.1)


def test_words_are_shown_once_two_decodes_agree_and_are_not_taken_back() -> None:
    agreement = Agreement()
    assert agreement.add(["hej"]) == []
    assert agreement.add(["Hej", "du", "har"]) == ["Hej"]
    assert agreement.add(["hej", "du", "hade", "kommit"]) == ["Hej", "du"]
    assert agreement.add(["något", "annat"]) == ["Hej", "du"]
    assert agreement.add([]) == ["Hej", "du"]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b"]), max_size=5), max_size=8))
def test_what_is_shown_only_grows(decodes: list[list[str]]) -> None:
    agreement = Agreement()
    before: list[str] = []
    for words in decodes:
        shown = agreement.add(words)
        assert shown[: len(before)] == before
        before = shown


# The queue


class Desk:
    """A scheduler with a clock of its own."""

    def __init__(self) -> None:
        self.time = 0.0
        self.given_up: list[Work] = []
        self.scheduler = Scheduler(lambda: self.time, self.given_up.append)

    def put(self, call: int, n: int, *, final: bool, leg: str = "caller") -> None:
        one = Spoken(n, 0, np.zeros(8, np.float32), final)
        self.scheduler.put(Work(CALLS[call], leg, one, self.time))

    def take(self) -> tuple[int, int, bool] | None:
        work = self.scheduler.take(0)
        return None if work is None else (work.call.int, work.spoken.n, work.spoken.final)


def test_finals_go_before_interim_work_and_in_the_order_in_which_they_ended() -> None:
    desk = Desk()
    desk.put(0, 0, final=False)
    desk.put(1, 0, final=True)
    desk.put(2, 0, final=True)
    assert [desk.take() for _ in range(4)] == [(1, 0, True), (2, 0, True), (0, 0, False), None]


def test_of_interim_work_only_the_latest_of_each_leg_is_done() -> None:
    desk = Desk()
    for n in (0, 0, 1):
        desk.put(0, n, final=False)
    desk.put(0, 0, final=False, leg="operator")
    assert desk.scheduler.dropped_interim == 2
    assert [desk.take() for _ in range(3)] == [(0, 1, False), (0, 0, False), None]


def test_the_end_of_an_utterance_makes_its_interim_work_stale() -> None:
    desk = Desk()
    desk.put(0, 3, final=False)
    desk.put(0, 3, final=True)
    assert [desk.take(), desk.take()] == [(0, 3, True), None]


def test_no_caption_comes_later_than_the_stated_delay() -> None:
    desk = Desk()
    desk.put(0, 0, final=True)
    desk.time = MOST_WAIT_S + 0.1
    desk.put(0, 1, final=True)
    assert desk.take() == (0, 1, True)
    assert [work.spoken.n for work in desk.given_up] == [0]


def test_of_a_call_that_is_over_only_finals_are_wanted() -> None:
    desk = Desk()
    desk.put(0, 0, final=False)
    desk.put(0, 1, final=True, leg="operator")
    desk.scheduler.forget(CALLS[0])
    assert [desk.take(), desk.take()] == [(0, 1, True), None]


def test_a_closed_queue_lets_its_thread_go() -> None:
    desk = Desk()
    thread = threading.Thread(target=lambda: desk.scheduler.take())
    thread.start()
    desk.scheduler.close()
    thread.join(30)
    assert not thread.is_alive()
