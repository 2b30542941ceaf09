"""Layers: a correction lies above the machine's words and takes their times; a redacted copy holds neither word nor sound."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from uuid import UUID

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callsvc.errors import Conflict, NotFound, UsageError
from callsvc.store import Connection, Database, layers, transcripts
from callsvc.store.layers import EditedMeanwhile
from callsvc.transcripts.layers import Choice, Silenced, Spoken, Stretch, in_force, redact
from callsvc.transcripts.layers.redacting import PAD_MS, dump, load
from callsvc.transcripts.layers.text import Line, timed
from tests.callsvc.transcripts.test_listening import Info
from tests.callsvc.transcripts.test_search import spoke
from tests.support.past_calls import BEGAN

pytestmark = pytest.mark.transcripts


def heard(text: str, start_ms: int = 0, each_ms: int = 500) -> tuple[Spoken, ...]:
    return tuple(
        Spoken(start_ms + n * each_ms, start_ms + (n + 1) * each_ms, word, 0.9)
        for n, word in enumerate(text.split())
    )


def line(n: int, leg: str, text: str, start_ms: int) -> Line:
    words = [
        {"start_ms": w.start_ms, "end_ms": w.end_ms, "text": w.text, "probability": w.probability}
        for w in heard(text, start_ms)
    ]
    return in_force(transcripts.Utterance(n, leg, start_ms, start_ms + 500 * len(words), text, words))


def test_corrected_words_keep_the_times_of_those_they_stand_for() -> None:
    found = timed(["Han", "slog", "mig", "inte"], heard("han slog dig inte"), 0, 2000)
    assert [(w.text, w.start_ms, w.probability) for w in found] == [
        ("Han", 0, 0.9),
        ("slog", 500, 0.9),
        ("mig", 1000, None),
        ("inte", 1500, 0.9),
    ]
    assert not any(w.estimated for w in found)


def test_words_that_were_added_have_estimated_times_between_their_neighbours() -> None:
    found = timed(["han", "slog", "mig", "hårt", "igår"], heard("han slog"), 0, 2000)
    assert [(w.start_ms, w.end_ms) for w in found[2:]] == [(1000, 1333), (1333, 1666), (1666, 2000)]
    assert [w.estimated for w in found] == [False, False, True, True, True]


WORDS = st.lists(st.sampled_from(["ja", "nej", "han", "slog", "mig", "inte", "igår"]), max_size=12)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_times_of_corrected_words_rise_and_stay_in_the_utterance(before: list[str], after: list[str]) -> None:
    spoken = heard(" ".join(before))
    end = 500 * len(before)
    found = timed(after, spoken, 0, end)
    assert [w.text for w in found] == after
    edges = [edge for w in found for edge in (w.start_ms, w.end_ms)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= end for edge in edges)


# Corrections, in the database.


async def _call(conn: Connection) -> tuple[UUID, UUID, UUID]:
    """A call, its transcript and a person."""
    call = await spoke(conn, ["Han var våldsam", "Jag vet inte"])
    found = await transcripts.of_call(conn, call)
    assert found is not None
    person = UUID(int=7)
    await conn.execute(
        "insert into users (id, name, display_name, password_hash, roles, created_at)"
        " values (%s, 'asa', 'Åsa', '', '{}', %s) on conflict do nothing",
        [person, BEGAN],
    )
    return call, found.id, person


async def test_a_correction_lies_above_and_the_machines_words_stay(database: Database) -> None:
    async with database.transaction() as conn:
        _, transcript, person = await _call(conn)
        version = await layers.correct(
            conn, transcript, 0, "Han var hotfull", version=0, why="hördes fel", user_id=person, at=BEGAN
        )
        found = await transcripts.utterance(conn, transcript, 0)
        assert (version, found.version, found.text, found.corrected) == (
            1, 1, "Han var våldsam", "Han var hotfull",
        )  # fmt: skip
        (edit,) = await layers.edits(conn, transcript)
        assert (edit.why, edit.user_id, edit.at) == ("hördes fel", person, BEGAN)


@pytest.mark.parametrize(
    "statement",
    [
        "update utterances set text = 'annat'",
        "update utterances set words = '[]'",
        "update utterances set start_ms = 0",
        "update transcript_edits set why = ''",
    ],
)
async def test_what_the_machine_heard_and_who_changed_it_cannot_be_overwritten(
    database: Database, statement: str
) -> None:
    async with database.transaction() as conn:
        _, transcript, person = await _call(conn)
        await layers.correct(conn, transcript, 0, "x", version=0, why="", user_id=person, at=BEGAN)
    with pytest.raises(psycopg.errors.RaiseException):
        async with database.transaction() as conn:
            await conn.execute(statement.encode())


async def test_two_who_correct_the_same_line_do_not_lose_each_others_work(database: Database) -> None:
    async with database.transaction() as conn:
        _, transcript, person = await _call(conn)

    async def edit(n: int, text: str) -> bool:
        try:
            async with database.transaction() as conn:
                await layers.correct(conn, transcript, n, text, version=0, why="", user_id=person, at=BEGAN)
        except EditedMeanwhile:
            return False
        return True

    same = await asyncio.gather(edit(0, "en"), edit(0, "två"))
    other = await edit(1, "tre")
    assert sorted(same) == [False, True]
    assert other
    async with database.transaction() as conn:
        assert len(await layers.edits(conn, transcript, 0)) == 1


async def test_corrections_are_taken_back_one_by_one_and_the_history_keeps_all(database: Database) -> None:
    async with database.transaction() as conn:
        _, transcript, person = await _call(conn)
        who = {"why": "", "user_id": person, "at": BEGAN}
        for version, text in enumerate(("ett", "två")):
            await layers.correct(conn, transcript, 0, text, version=version, **who)  # type: ignore[arg-type]
        texts = []
        for version in (2, 3):
            await layers.undo(conn, transcript, 0, version=version, **who)  # type: ignore[arg-type]
            texts.append((await transcripts.utterance(conn, transcript, 0)).corrected)
        assert texts == ["ett", None]
        with pytest.raises(Conflict):
            await layers.undo(conn, transcript, 0, version=4, **who)  # type: ignore[arg-type]
        assert [one.undoes for one in await layers.edits(conn, transcript, 0)] == [None, None, 2, 1]
        with pytest.raises(NotFound):
            await layers.undo(conn, transcript, 99, version=0, **who)  # type: ignore[arg-type]


async def test_a_summary_is_versioned_and_another_thing_than_what_was_said(database: Database) -> None:
    async with database.transaction() as conn:
        call, transcript, person = await _call(conn)
        assert await layers.summarise(conn, call, "Anmälan om hot.", version=0, user_id=person, at=BEGAN) == 1
        with pytest.raises(EditedMeanwhile):
            await layers.summarise(conn, call, "Annat.", version=0, user_id=person, at=BEGAN)
        found = await layers.summary(conn, call)
        assert found is not None
        assert found.body == "Anmälan om hot."
        assert "Anmälan" not in " ".join(one.text for one in await transcripts.utterances(conn, transcript))


# Redacted copies.


def test_chosen_words_are_gone_from_the_text_and_the_others_stay() -> None:
    lines = [line(0, "caller", "jag bor på Storgatan tolv i Lund", 1000)]
    found = redact(lines, [Choice(0, 3, 4, "adress")])
    assert found.lines[0].text == "jag bor på i Lund"
    assert [word.redacted for word in found.lines[0].words] == [None, None, None, 0, 0, None, None]
    assert found.stretches == (Stretch(2500 - PAD_MS, 3500 + PAD_MS, "adress"),)
    kept = str([dump(one) for one in found.lines])
    assert "Storgatan" not in kept
    assert [load(dump(one)) for one in found.lines] == list(found.lines)


def test_words_of_the_other_leg_at_that_moment_go_too() -> None:
    lines = [line(0, "caller", "Storgatan tolv", 1000), line(1, "operator", "Storgatan ja ja", 1200)]
    found = redact(lines, [Choice(0, 0, 0, "adress")])
    assert [one.text for one in found.lines] == ["tolv", "ja ja"]


def test_stretches_that_meet_are_one_with_both_reasons() -> None:
    lines = [line(0, "caller", "Anna bor där", 0)]
    found = redact(lines, [Choice(0, 0, 0, "namn"), Choice(0, 1, 1, "adress"), Choice(0, 0, 1, "namn")])
    assert [one.reason for one in found.stretches] == ["namn; adress"]


def test_a_word_whose_time_is_only_estimated_takes_along_what_lies_around_it() -> None:
    words = (Spoken(0, 500, "jag", 0.9), Spoken(500, 900, "heter", 0.9, estimated=True),
             Spoken(900, 1500, "Anna", None, estimated=True), Spoken(2000, 2500, "Berg", 0.9))  # fmt: skip
    one = Line(
        0,
        "caller",
        0,
        2500,
        "speech",
        "sv",
        in_force(transcripts.Utterance(0, "caller", 0, 1, "", [])).layer,
        words,
    )
    found = redact([one], [Choice(0, 2, 2, "namn")])
    assert found.stretches == (Stretch(500 - PAD_MS, 2000 + PAD_MS, "namn"),)
    assert found.lines[0].text == "jag Berg"


@pytest.mark.parametrize(
    "choice", [Choice(9, 0, 0, "x"), Choice(0, 2, 1, "x"), Choice(0, 0, 99, "x"), Choice(0, -1, 0, "x"), Choice(0, 0, 0, "  ")]
)  # fmt: skip
def test_words_that_are_not_there_and_choices_without_a_reason_are_refused(choice: Choice) -> None:
    with pytest.raises(UsageError):
        redact([line(0, "caller", "ja nej", 0)], [choice])


def test_two_copies_are_told_apart_by_their_digest() -> None:
    lines = [line(0, "caller", "ja nej kanske", 0)]
    one, other = (redact(lines, [Choice(0, n, n, "x")]).sha256 for n in (0, 1))
    assert one != other
    assert one == redact(lines, [Choice(0, 0, 0, "x")]).sha256


class Tape:
    """Full of sound."""

    tracks = MappingProxyType({"caller.rx": Info(8000, 40_000), "operator.tx": Info(16_000, 80_000),
                               "operator.rx": Info(16_000, 80_000)})  # fmt: skip

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        return np.full(n, 1000, np.int16)


@settings(deadline=None)
@given(st.integers(0, 80_000), st.integers(1, 30_000))
def test_the_sound_of_a_stretch_is_silent_on_every_track_however_it_is_read(start: int, n: int) -> None:
    quiet = Silenced(Tape(), [Stretch(1001, 2003, "x")], ["caller.rx", "operator.tx"])
    assert set(quiet.tracks) == {"caller.rx", "operator.tx"}
    for track in quiet.tracks:
        rate = quiet.tracks[track].rate_hz
        found = quiet.read(track, start, n)
        at = np.arange(start, start + n)
        inside = (at >= 1001 * rate // 1000) & (at < -(-2003 * rate // 1000))
        assert not found[inside].any()
        assert (found[~inside] == 1000).all()
