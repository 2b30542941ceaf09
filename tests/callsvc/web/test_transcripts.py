"""Layers over HTTP: corrected by two at once, taken back, redacted in sound and text, exported, searched; each with a line in the log."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from uuid import UUID

import httpx
import numpy as np
import pytest

from callsvc.access import trail
from callsvc.ids import new_id
from callsvc.store import Connection, transcripts
from callsvc.types import Role, TranscriptState
from tests.support import past_calls as calls
from tests.support.recordings import Made
from tests.support.web import Served

pytestmark = pytest.mark.transcripts

REASON = {"reason": "Utredning av ärende 12"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return calls.record(tmp_path_factory.mktemp("recorded"), lost=())


@pytest.fixture
def reader(site: Served, call: str) -> Iterator[httpx.Client]:
    with site.signed_in("birgitta", Role.INVESTIGATOR) as client:
        assert client.post(f"/api/calls/{call}/access", json=REASON).status_code == 204
        yield client


def correct(client: httpx.Client, call: str, n: int, version: int, text: str) -> httpx.Response:
    return client.put(
        f"/api/calls/{call}/transcript/utterances/{n}",
        json={"version": version, "text": text, "why": "hördes annorlunda"},
    )


def said(client: httpx.Client, call: str, n: int) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/calls/{call}/transcript").json()["utterances"][n]
    return found


def lines(site: Served, call: str) -> list[tuple[str, str]]:
    async def found(conn: Connection) -> list[trail.AccessEvent]:
        return await trail.events(conn, call_id=UUID(call))

    return [(event.action, event.object_id) for event in reversed(site.run(found))]


def test_a_correction_is_in_force_and_the_machines_words_stay_below_it(
    reader: httpx.Client, call: str
) -> None:
    before = said(reader, call, 3)
    assert (before["machine"], before["version"]) == (None, 0)
    answer = correct(reader, call, 3, 0, "Han stod utanför  dörren.")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["version"], told["text"], told["person"]["name"]) == (
        1,
        "Han stod utanför dörren.",
        "birgitta",
    )
    after = said(reader, call, 3)
    assert (after["text"], after["machine"]) == ("Han stod utanför dörren.", before["text"])
    words = after["words"]
    assert isinstance(words, list)
    assert isinstance(before["words"], list)
    assert words[0]["start_ms"] == before["words"][0]["start_ms"]


def test_a_long_call_is_read_piece_by_piece(reader: httpx.Client, call: str) -> None:
    whole = reader.get(f"/api/calls/{call}/transcript").json()
    first = reader.get(f"/api/calls/{call}/transcript?count=4").json()
    rest = reader.get(f"/api/calls/{call}/transcript?first={first['next']}").json()
    assert [one["n"] for one in first["utterances"]] == [0, 1, 2, 3]
    assert first["utterances"] + rest["utterances"] == whole["utterances"]
    assert (whole["next"], rest["next"]) == (None, None)


def test_who_corrects_what_somebody_changed_meanwhile_is_told_and_nothing_is_lost(
    site: Served, reader: httpx.Client, call: str
) -> None:
    with site.signed_in("omar", Role.INVESTIGATOR) as other:
        other.post(f"/api/calls/{call}/access", json=REASON)
        assert correct(reader, call, 1, 0, "ett").status_code == 200
        refused = correct(other, call, 1, 0, "två")
        assert (refused.status_code, refused.json()["code"]) == (409, "edited_meanwhile")
        # Another utterance is nobody else's work.
        assert correct(other, call, 2, 0, "tre").status_code == 200
        assert correct(other, call, 1, 1, "två").status_code == 200
    edits = reader.get(f"/api/calls/{call}/transcript/edits", params={"n": 1}).json()["edits"]
    assert [(one["text"], one["person"]["name"]) for one in edits] == [("ett", "birgitta"), ("två", "omar")]


def test_a_correction_is_taken_back_and_the_history_keeps_both(reader: httpx.Client, call: str) -> None:
    correct(reader, call, 0, 0, "annat")
    path = f"/api/calls/{call}/transcript/utterances/0/undo"
    assert reader.post(path, json={"version": 1}).json()["undoes"] == 1
    assert said(reader, call, 0)["machine"] is None
    assert reader.post(path, json={"version": 2}).json()["code"] == "nothing_to_undo"
    assert reader.post(path, json={"version": 1}).json()["code"] in ("edited_meanwhile", "nothing_to_undo")
    assert len(reader.get(f"/api/calls/{call}/transcript/edits").json()["edits"]) == 2


def test_a_redacted_copy_holds_neither_the_words_nor_their_sound(
    site: Served, reader: httpx.Client, call: str
) -> None:
    whole = said(reader, call, 3)
    assert isinstance(whole["words"], list)
    chosen = [{"n": 3, "version": 0, "first": 3, "last": 3, "reason": "adress"}]
    made = reader.post(
        f"/api/calls/{call}/redactions", json={"title": "Till socialtjänsten", "chosen": chosen}
    )
    assert made.status_code == 201, made.text
    copy = made.json()
    word = whole["words"][3]
    assert word["text"] == "dörren"
    (stretch,) = copy["stretches"]
    assert stretch["start_ms"] < word["start_ms"] < word["end_ms"] < stretch["end_ms"]
    # A later correction does not reach into the copy.
    correct(reader, call, 3, 0, "dörren dörren dörren")
    # And who chose words in the text as it was is told so: at their places other words stand now.
    again = reader.post(f"/api/calls/{call}/redactions", json={"title": "En till", "chosen": chosen})
    assert (again.status_code, again.json()["code"]) == (409, "edited_meanwhile")
    # Whatever layer is asked for with a copy, or none: it is the copy that is given.
    for layer in ({"layer": "redacted"}, {"layer": "corrected"}, {"layer": "machine"}, {}):
        asked = {"form": "json", "copy": copy["id"], **layer}
        told = reader.get(f"/api/calls/{call}/transcript/export", params=asked)
        assert "dörren" not in told.text, layer
        assert told.json()["redacted_copy"]["sha256"] == copy["sha256"], layer
    sound = reader.get(f"/api/calls/{call}/redactions/{copy['id']}/playback.wav")
    with wave.open(io.BytesIO(sound.content)) as heard:
        assert heard.getnchannels() == 2
        rate = heard.getframerate()
        frames = np.frombuffer(heard.readframes(heard.getnframes()), "<i2").reshape(-1, 2)
    first, last = (stretch[key] * rate // 1000 for key in ("start_ms", "end_ms"))
    # The caller's track is brought to the higher rate: its edges are softened by some samples.
    assert not frames[first + 40 : last - 40].any()
    assert frames[first - rate // 2 : first - 40].any(axis=0).all()
    assert reader.get(f"/api/calls/{call}/redactions").json()["copies"] == [copy]
    assert ("transcript.redact", "redaction") in lines(site, call)


def test_words_that_are_not_there_cannot_be_taken_out(reader: httpx.Client, call: str) -> None:
    for chosen in (
        {"n": 99, "first": 0, "last": 0},
        {"n": 0, "first": 2, "last": 1},
        {"n": 0, "first": 0, "last": 99},
    ):
        asked = {"title": "x", "chosen": [chosen | {"version": 0, "reason": "x"}]}
        assert reader.post(f"/api/calls/{call}/redactions", json=asked).json()["code"] == "bad_choice"
    assert reader.get(f"/api/calls/{call}/redactions/{new_id()}/playback.wav").status_code == 404


@pytest.mark.parametrize("form", ["txt", "vtt", "srt", "json", "html", "docx", "pdf"])
def test_the_transcript_goes_out_in_every_form_with_a_line_in_the_log(
    site: Served, reader: httpx.Client, call: str, form: str
) -> None:
    answer = reader.get(f"/api/calls/{call}/transcript/export", params={"form": form})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{call}-corrected.{form}"'
    assert len(answer.content) > 100
    assert ("transcript.export", "corrected") in lines(site, call)


def test_search_finds_sentences_with_their_leg_and_time(reader: httpx.Client, call: str) -> None:
    correct(reader, call, 5, 0, "Nej. Jag är hos min bror.")
    found = reader.get("/api/search", params={"q": "syskon", "call": call}).json()
    assert found == {"hits": [], "more": False}
    (hit,) = reader.get("/api/search", params={"q": "dörrarna", "call": call}).json()["hits"]
    assert hit["n"] == 3, "another form of the word"
    (hit,) = reader.get("/api/search", params={"q": "dörr", "call": call}).json()["hits"]
    assert (hit["n"], hit["leg"], hit["call_id"], hit["layer"]) == (3, "caller", call, "machine")
    assert [one["text"] for one in hit["sentence"] if one["found"]] == ["dörren"]
    assert hit["start_ms"] == 15000
    (hit,) = reader.get("/api/search", params={"q": "bror", "call": call}).json()["hits"]
    assert (hit["layer"], " ".join(w["text"] for w in hit["sentence"])) == (
        "corrected",
        "Jag är hos min bror.",
    )
    (hit,) = reader.get("/api/search", params={"q": "syster", "call": call}).json()["hits"]
    assert (hit["replaced"], hit["layer"]) == (True, "machine")
    assert reader.get("/api/search", params={"q": "!?", "call": call}).json()["code"] == "nothing_sought"


def test_of_calls_that_one_has_not_opened_search_does_not_even_say_how_many_hold_a_word(
    site: Served, reader: httpx.Client, call: str
) -> None:
    async def another(conn: Connection) -> UUID:
        found = await calls.finished(conn)
        await calls.transcribed(conn, found)
        return found

    hidden = str(site.run(another))
    for asked in ([hidden], [call, hidden], [str(new_id())]):
        for word in ("dörr", "finnsinte"):
            answer = reader.get("/api/search", params={"q": word, "call": asked})
            assert (answer.status_code, answer.json()["code"]) == (403, "reason_required")
    assert "more" in reader.get("/api/search", params={"q": "dörr", "call": [call]}).json()


def test_a_case_is_searched_as_far_as_it_was_opened_and_each_hit_names_it(
    site: Served, reader: httpx.Client, call: str
) -> None:
    async def another(conn: Connection) -> UUID:
        found = await calls.finished(conn)
        await calls.transcribed(conn, found)
        for one in (found, UUID(call)):
            await conn.execute(
                "insert into wrap_ups (call_id, case_number, by_id, state, saved_at) select %s, 'A12-26', id, 'done', now()"
                " from users limit 1",
                [one],
            )
        return found

    hidden = str(site.run(another))
    asked = {"q": "dörr", "case": "A12-26"}
    assert [
        (hit["call_id"], hit["case"]) for hit in reader.get("/api/search", params=asked).json()["hits"]
    ] == [(call, "A12-26")]
    assert reader.post("/api/cases/A12-26/access", json=REASON).status_code == 204
    hits = reader.get("/api/search", params=asked).json()["hits"]
    assert {hit["call_id"] for hit in hits} == {call, hidden}
    assert (
        reader.get("/api/search", params={"q": "dörr", "case": "B99-26"}).json()["code"] == "reason_required"
    )
    # Which calls a case has may be seen without a reason; that it was seen is written down, once for each sitting.
    assert [reader.get(f"/api/cases/{number}").status_code for number in ("A12-26", "B99-26", "A12-26")] == [
        200,
        404,
        200,
    ]
    seen = site.run(lambda conn: trail.events(conn, action="case.read"))
    assert [(event.object_kind, event.object_id) for event in seen] == [("case", "A12-26")]
    assert reader.get("/api/search", params={"q": "dörr"}).json()["code"] == "reason_required"


def test_a_transcript_that_waits_says_how_far_it_is_and_can_be_asked_for(site: Served, made: Made) -> None:
    async def waits(conn: Connection) -> UUID:
        found = await calls.recorded(conn, made)
        await calls.waiting(conn, found, TranscriptState.FAILED)
        return found

    call = str(site.run(waits))
    with site.signed_in("birgitta", Role.INVESTIGATOR) as client:
        assert client.get(f"/api/calls/{call}/transcript/state").json()["state"] == "failed"
        assert client.post(f"/api/calls/{call}/transcript/request").json()["code"] == "reason_required"
        client.post(f"/api/calls/{call}/access", json=REASON)
        assert client.post(f"/api/calls/{call}/transcript/request").status_code == 204

    async def queued(conn: Connection) -> object:
        cursor = await conn.execute(
            "select priority from procrastinate_jobs where args->>'call' = %s", [call]
        )
        return await cursor.fetchall()

    assert site.run(queued) == [{"priority": 10}]


def test_a_summary_is_kept_in_versions_and_never_passes_for_what_was_said(
    reader: httpx.Client, call: str
) -> None:
    path = f"/api/calls/{call}/summary"
    assert reader.get(path).json()["version"] == 0
    assert reader.put(path, json={"version": 0, "body": "Anmälan om hot."}).json()["version"] == 1
    assert reader.put(path, json={"version": 0, "body": "Annat"}).json()["code"] == "edited_meanwhile"
    assert reader.get(path).json()["person"]["name"] == "birgitta"
    for form in ("txt", "json"):
        told = reader.get(f"/api/calls/{call}/transcript/export", params={"form": form}).text
        assert "Anmälan om hot" not in told


def test_unsure_and_estimated_words_come_through_and_marks_stand_beside(
    site: Served, reader: httpx.Client, call: str
) -> None:
    async def doubt(conn: Connection) -> None:
        found = await transcripts.of_call(conn, UUID(call))
        assert found is not None
        words = [
            {"start_ms": 0, "end_ms": 9, "text": "Storgatan", "probability": 0.5, "unsure": True},
            {"start_ms": 9, "end_ms": 19, "text": "tolv", "probability": 0.5, "estimated": True},
            {"start_ms": 19, "end_ms": 29, "text": "halv", "probability": 0.9},
            {"start_ms": 29, "end_ms": 39, "text": "tre", "probability": 0.9},
        ]
        one = transcripts.Utterance(0, "caller", 0, 39, "Storgatan tolv halv tre", words, language="sv")
        await transcripts.replace_utterances(conn, found.id, [one])

    site.run(doubt)
    told = said(reader, call, 0)
    words = told["words"]
    assert isinstance(words, list)
    assert [(one["unsure"], one["estimated"]) for one in words[:2]] == [(True, False), (False, True)]
    assert told["marks"] == [{"first": 0, "last": 1, "kind": "address", "value": "Storgatan 12"}]
    half_past = {"first": 2, "last": 3, "kind": "time", "value": "02:30|14:30"}
    assert told["values"] == [half_past]
