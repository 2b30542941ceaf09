"""Search in what was said: Swedish words in all their forms, inside the calls that one may see and nowhere else."""

from __future__ import annotations

from uuid import UUID

import pytest

from callsvc.ids import new_id
from callsvc.store import Connection, Database, calls, spoken, transcripts
from callsvc.types import Profile, TranscriptState
from tests.support.past_calls import BEGAN

pytestmark = pytest.mark.transcripts

LINES = [
    "Han var våldsam mot kvinnorna",
    "Valdagen är på söndag",
    "Samtalen spelas in",
    "En vald person",
    "Jag är inte skadad men jag är rädd",
]


async def spoke(conn: Connection, lines: list[str], *, kind: str = "speech") -> UUID:
    """A call with a transcript of these lines; its id."""
    call, transcript = new_id(), new_id()
    await calls.create(conn, call, Profile.INTERVIEW, at=BEGAN)
    await transcripts.create(conn, transcript, call, language="sv", at=BEGAN)
    said = [
        transcripts.Utterance(n, "caller", n * 1000, n * 1000 + 900, line, [], kind)
        for n, line in enumerate(lines)
    ]
    await transcripts.replace_utterances(conn, transcript, said)
    await transcripts.set_state(conn, transcript, TranscriptState.DONE, at=BEGAN)
    return call


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("våld", [0]),
        ("våldet", [0]),
        ("vald", [1, 3]),
        ("SAMTAL", [2]),
        ("samtalet", [2]),
        ("kvinna våldsam", [0]),
        ("kvinnan", [0]),
        ("samtalets", [2]),
        ("sedan", []),
        ("inte", [4]),
        ("jag", [4]),
        ('"inte skadad"', [4]),
        ('"skadad inte"', []),
        ("vald -person", [1]),
        ("-person", []),
        ("'; drop table users; -- & | ! ()", []),
        ("!!", []),
        ("", []),
        ("\\ : * <-> \x00", []),
    ],
)
async def test_words_are_found_in_all_their_forms(database: Database, asked: str, found: list[int]) -> None:
    async with database.transaction() as conn:
        call = await spoke(conn, LINES)
        assert [hit.n for hit in await spoken.search(conn, [call], asked)] == found


async def test_only_the_calls_that_are_given_are_searched(database: Database) -> None:
    async with database.transaction() as conn:
        mine, another = await spoke(conn, LINES), await spoke(conn, LINES)
        assert {hit.call_id for hit in await spoken.search(conn, [mine], "våld")} == {mine}
        assert {hit.call_id for hit in await spoken.search(conn, [mine, another], "våld")} == {mine, another}
        assert await spoken.search(conn, [], "våld") == []
        assert await spoken.search(conn, [new_id()], "våld") == []


async def test_what_came_through_from_the_other_leg_is_not_found_twice(database: Database) -> None:
    async with database.transaction() as conn:
        call = await spoke(conn, LINES, kind="crosstalk")
        assert await spoken.search(conn, [call], "våld") == []


async def test_a_hit_marks_the_words_that_were_found(database: Database) -> None:
    async with database.transaction() as conn:
        call = await spoke(conn, LINES)
        (hit,) = await spoken.search(conn, [call], "kvinna")
        assert hit.marked == f"Han var våldsam mot {spoken.OPEN}kvinnorna{spoken.CLOSE}"
