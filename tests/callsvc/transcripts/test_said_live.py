"""A word that was put right during the call is a correction in its transcript, of the same person and moment."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from callsvc.access import people
from callsvc.ids import new_id
from callsvc.store import Connection, Database, calls, captions, layers, transcripts
from callsvc.store.captions import CaptionRow
from callsvc.store.transcripts import Utterance
from callsvc.transcripts.said_live import put_right, take_over
from callsvc.types import Profile, Role
from tests.support.past_calls import BEGAN

pytestmark = pytest.mark.transcripts


def utterance(n: int, leg: str, text: str, start_ms: int) -> Utterance:
    words = [
        {
            "start_ms": start_ms + 400 * at,
            "end_ms": start_ms + 400 * at + 300,
            "text": word,
            "probability": 0.9,
        }
        for at, word in enumerate(text.split())
    ]
    return Utterance(n, leg, start_ms, start_ms + 400 * len(words), text, words)


async def put(conn: Connection, call: UUID, person: UUID, word: int, heard: str, meant: str) -> None:
    await captions.correct(conn, call, "caller", 0, word, heard, meant, user_id=person, at=BEGAN)


async def test_what_was_put_right_is_taken_over_near_its_place_and_on_its_leg(conninfo: str) -> None:
    call, transcript = new_id(), new_id()
    async with Database(conninfo) as database, database.transaction() as conn:
        person = await people.create(
            conn,
            name="olle",
            display_name="Olle",
            roles=[Role.OPERATOR],
            password="fyra gula hästar äter",
            at=BEGAN,
        )
        await calls.start(conn, call, profile=Profile.REPORT, node="node-1", at=BEGAN)
        await captions.put(
            conn, [CaptionRow(call, "caller", 0, 10_000, 12_000, "jag är hos min syster i Lind", True)]
        )
        await put(conn, call, person.id, 4, "syster", "svägerska")
        await put(conn, call, person.id, 4, "svägerska", "moster")  # thought better of it
        await put(conn, call, person.id, 6, "Lind", "Lund")  # the transcript has heard it right
        await transcripts.create(conn, transcript, call, language="sv", at=BEGAN + timedelta(minutes=5))
        said = [
            utterance(0, "caller", "Min syster ringde dig förra veckan.", 1000),
            utterance(1, "operator", "Din syster?", 10_500),
            utterance(2, "caller", "Jag är hos min syster, i Lund.", 10_100),
        ]
        await transcripts.replace_utterances(conn, transcript, said)
        assert await take_over(conn, transcript, call) == 2
        after = await transcripts.utterances(conn, transcript)
        assert [one.corrected for one in sorted(after, key=lambda one: one.n)] == [
            None, None, "Jag är hos min moster, i Lund.",
        ]  # fmt: skip
        edits = await layers.edits(conn, transcript)
        assert {(one.user_id, one.at) for one in edits} == {(person.id, BEGAN)}


def test_punctuation_stays_where_the_word_that_was_meant_has_none() -> None:
    assert [put_right("syster,", "moster"), put_right("va", "vad?"), put_right("Nej.", "Ja.")] == [
        "moster,",
        "vad?",
        "Ja.",
    ]
