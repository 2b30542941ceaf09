"""Hearing and reading a call: for a reason, in the trail, in ranges; and every way round that is closed."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

from callsvc.access import trail
from callsvc.clock import FixedClock
from callsvc.store import Connection, keystrokes
from callsvc.types import Role, TranscriptState
from callsvc.web.reading import SITTING_S
from tests.support import past_calls as calls
from tests.support.recordings import Made, sound
from tests.support.web import PASSWORD, Served, serving

pytestmark = pytest.mark.screens

SECONDS = 3
REASON = {"reason": "Utredning: 5000-K1234-26"}
LOST = (50, 51)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One recording for all; each test gets a copy."""
    return calls.record(tmp_path_factory.mktemp("made"), seconds=SECONDS, lost=LOST)


@pytest.fixture
def call(site: Served, made: Made) -> str:
    return str(site.run(lambda conn: calls.recorded(conn, made)))


@pytest.fixture
def reader(site: Served, call: str) -> Iterator[httpx.Client]:
    """Somebody who has opened the call, and may hear all of it."""
    with site.signed_in("birgitta", Role.INVESTIGATOR, Role.QA) as client:
        assert client.post(f"/api/calls/{call}/access", json=REASON).status_code == 204
        yield client


def parts(call: str) -> list[str]:
    return [
        f"/api/calls/{call}/{part}" for part in ("audio/caller.rx.wav", "playback.wav", "peaks", "transcript")
    ]


def test_nothing_is_heard_or_read_without_a_reason(site: Served, call: str) -> None:
    with site.signed_in("birgitta", Role.INVESTIGATOR) as client:
        for path in parts(call):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "reason_required"), path
            assert answer.headers["content-type"] == "application/problem+json"
        assert client.get(f"/api/calls/{call}").json()["opened"] is None


@pytest.mark.parametrize("reason", ["", "   ", "x", "12345 67", "å" * 501])
def test_a_reason_that_says_nothing_opens_nothing(site: Served, call: str, reason: str) -> None:
    with site.signed_in("birgitta", Role.INVESTIGATOR) as client:
        answer = client.post(f"/api/calls/{call}/access", json={"reason": reason})
        assert (answer.status_code, answer.json()["code"]) == (422, "reason_too_short")
        assert client.get(f"/api/calls/{call}/peaks").status_code == 403


def test_a_reason_holds_for_one_call_and_one_session(site: Served, call: str, reader: httpx.Client) -> None:
    other = str(site.run(calls.finished))
    assert reader.get(f"/api/calls/{other}/peaks").json()["code"] == "reason_required"
    with site.client() as again:
        again.post("/api/login", json={"name": "birgitta", "password": PASSWORD})
        assert again.get(f"/api/calls/{call}/peaks").json()["code"] == "reason_required"
    assert reader.get(f"/api/calls/{call}").json()["opened"] == REASON["reason"]
    assert reader.get(f"/api/calls/{call}/peaks").status_code == 200


@pytest.mark.parametrize(
    "name",
    [str(uuid4()), "1", "..", "%2e%2e%2f%2e%2e%2fetc", "' or 1=1 --", "{upper}", "{braces}"],
)
def test_another_call_by_a_made_up_id_is_nothing(site: Served, call: str, name: str) -> None:
    tried = name.replace("{upper}", call.upper()).replace("{braces}", f"{{{call}}}")
    with site.signed_in("birgitta", Role.INVESTIGATOR) as client:
        assert client.get(f"/api/calls/{tried}").status_code in (404,)
        assert client.post(f"/api/calls/{tried}/access", json=REASON).status_code in (404, 405)
        for path in parts(tried):
            assert client.get(path).status_code in (403, 404), path


@pytest.mark.parametrize(
    "track", ["operator.rx/..", "..%2f..%2fkeys%2finstallation.json", "caller.rx%00", "manifest"]
)
def test_a_track_is_one_of_the_three_and_no_path(reader: httpx.Client, call: str, track: str) -> None:
    assert reader.get(f"/api/calls/{call}/audio/{track}.wav").status_code == 404


def test_a_track_comes_as_it_was_recorded_with_silence_where_it_was_lost(
    reader: httpx.Client, call: str
) -> None:
    for track in calls.TRACKS:
        answer = reader.get(f"/api/calls/{call}/audio/{track.name}.wav")
        assert answer.headers["content-type"] == "audio/wav"
        with wave.open(io.BytesIO(answer.content)) as heard:
            assert heard.getframerate() == track.rate_hz
            samples = np.frombuffer(heard.readframes(heard.getnframes()), "<i2")
        expected = sound(track, 0, SECONDS * track.rate_hz)
        size = track.rate_hz // 50
        for frame in LOST:
            expected[frame * size : (frame + 1) * size] = 0
        assert np.array_equal(samples, expected)


def test_the_raw_microphone_is_there_for_quality_review_alone(site: Served, call: str) -> None:
    with site.signed_in("ingrid", Role.INVESTIGATOR) as client:
        assert client.post(f"/api/calls/{call}/access", json=REASON).status_code == 204
        assert client.get(f"/api/calls/{call}/audio/operator.rx.wav").status_code == 403
        told = client.get(f"/api/calls/{call}/peaks").json()
        assert told["channels"] == [lane["track"] for lane in told["lanes"]] == ["caller.rx", "operator.tx"]
        with wave.open(io.BytesIO(client.get(f"/api/calls/{call}/playback.wav").content)) as heard:
            assert heard.getnchannels() == 2


def test_the_tracks_are_heard_in_step_a_channel_each(reader: httpx.Client, call: str) -> None:
    named = reader.get(f"/api/calls/{call}/peaks").json()
    assert named["channels"] == ["caller.rx", "operator.tx", "operator.rx"]
    assert named["duration_ms"] == SECONDS * 1000
    with wave.open(io.BytesIO(reader.get(f"/api/calls/{call}/playback.wav").content)) as heard:
        assert (heard.getnchannels(), heard.getframerate()) == (3, 16000)
        frames = np.frombuffer(heard.readframes(heard.getnframes()), "<i2").reshape(-1, 3)
    cleaned, caller = calls.TRACKS[2], calls.TRACKS[0]
    assert np.array_equal(frames[:16000, 1], sound(cleaned, 0, 16000))
    # The caller's track has half the rate: each of its samples is heard at every other place.
    assert np.max(np.abs(frames[200:15800:2, 0].astype(int) - sound(caller, 100, 7800))) <= 40


@pytest.mark.parametrize("path", ["audio/operator.tx.wav", "playback.wav"])
def test_ranges_are_slices_of_the_whole(reader: httpx.Client, call: str, path: str) -> None:
    whole = reader.get(f"/api/calls/{call}/{path}").content
    size = len(whole)
    for asked, first, last in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=43-45", 43, 45),
        (f"bytes={size // 2 + 1}-{size // 2 + 70001}", size // 2 + 1, min(size // 2 + 70001, size - 1)),
        ("bytes=-1000", size - 1000, size - 1),
        (f"bytes={size - 5}-", size - 5, size - 1),
        (f"bytes=10-{size * 9}", 10, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
    ]:
        answer = reader.get(f"/api/calls/{call}/{path}", headers={"Range": asked})
        assert answer.status_code == 206, asked
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == whole[first : last + 1], asked


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=0-1,5-6", "seconds=1-2", "bytes=-", "bytes=a-b"])
def test_what_is_no_single_range_is_answered_with_the_whole(
    reader: httpx.Client, call: str, asked: str
) -> None:
    answer = reader.get(f"/api/calls/{call}/audio/caller.rx.wav", headers={"Range": asked})
    assert answer.status_code == 200
    assert len(answer.content) == 44 + 2 * SECONDS * 8000


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-999999999", "bytes=-0"])
def test_a_range_beyond_the_end_says_how_long_it_is(reader: httpx.Client, call: str, asked: str) -> None:
    answer = reader.get(f"/api/calls/{call}/audio/caller.rx.wav", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{44 + 2 * SECONDS * 8000}"


def lines(site: Served, call: str) -> list[tuple[str, str, str]]:
    async def found(conn: Connection) -> list[trail.AccessEvent]:
        return await trail.events(conn, call_id=UUID(call))

    return [(event.action, event.object_id, event.reason) for event in reversed(site.run(found))]


def test_each_look_leaves_a_line_with_its_reason_and_a_sitting_leaves_one(
    site: Served, reader: httpx.Client, call: str
) -> None:
    site.run(lambda conn: calls.transcribed(conn, UUID(call)))
    reader.get(f"/api/calls/{call}/transcript")
    for first in range(0, 40000, 4000):
        reader.get(f"/api/calls/{call}/playback.wav", headers={"Range": f"bytes={first}-{first + 3999}"})
    reader.get(f"/api/calls/{call}/audio/operator.rx.wav")
    reason = REASON["reason"]
    assert lines(site, call) == [
        ("call.open", call, reason),
        ("transcript.read", "transcript", reason),
        ("audio.read", "playback", reason),
        ("raw.read", "operator.rx", reason),
    ]


def test_a_new_sitting_and_a_new_reason_leave_new_lines(
    conninfo: str, tmp_path: Path, quick_passwords: None, made: Made
) -> None:
    clock = FixedClock()
    with serving(conninfo, tmp_path / "data", clock, made) as site:
        call = str(site.run(lambda conn: calls.recorded(conn, made)))
        with site.signed_in("birgitta", Role.INVESTIGATOR) as reader:
            reader.post(f"/api/calls/{call}/access", json={"reason": "Första skälet"})
            reader.get(f"/api/calls/{call}/peaks")
            clock.advance(SITTING_S + 1)
            reader.get(f"/api/calls/{call}/peaks")
            reader.post(f"/api/calls/{call}/access", json={"reason": "Andra skälet"})
            reader.get(f"/api/calls/{call}/peaks")
        looks = [reason for action, _, reason in lines(site, call) if action == "audio.read"]
    assert looks == ["Första skälet", "Första skälet", "Andra skälet"]


def test_who_loses_the_right_while_listening_hears_no_more(
    site: Served, reader: httpx.Client, call: str
) -> None:
    assert reader.get(f"/api/calls/{call}/playback.wav", headers={"Range": "bytes=0-99"}).status_code == 206
    with site.signed_in("boss", Role.ADMIN) as boss:
        boss.patch(f"/api/users/{reader.get('/api/me').json()['id']}", json={"roles": ["operator"]})
    assert (
        reader.get(f"/api/calls/{call}/playback.wav", headers={"Range": "bytes=100-199"}).status_code == 403
    )


def test_the_words_come_with_their_times_and_doubts(site: Served, reader: httpx.Client, call: str) -> None:
    assert reader.get(f"/api/calls/{call}/transcript").json()["code"] == "no_transcript"
    site.run(lambda conn: calls.transcribed(conn, UUID(call)))
    told = reader.get(f"/api/calls/{call}/transcript").json()
    assert [one["text"] for one in told["utterances"]] == [text for _, text in calls.SAID]
    word = next(word for word in told["utterances"][3]["words"] if word["text"] == "skrek")
    assert word["probability"] == 0.4
    assert 15000 <= word["start_ms"] < word["end_ms"] <= 19000


@pytest.mark.parametrize(
    "state", [TranscriptState.QUEUED, TranscriptState.WAITING_MODEL, TranscriptState.FAILED]
)
def test_a_text_that_is_not_ready_is_said_to_be_so(
    site: Served, reader: httpx.Client, call: str, state: TranscriptState
) -> None:
    site.run(lambda conn: calls.waiting(conn, UUID(call), state))
    assert reader.get(f"/api/calls/{call}/transcript").json()["code"] == "no_transcript"
    assert reader.get(f"/api/calls/{call}").json()["transcript"]["state"] == state


def test_a_call_that_was_not_recorded_has_no_sound(site: Served, reader: httpx.Client) -> None:
    silent = str(site.run(calls.finished))
    reader.post(f"/api/calls/{silent}/access", json=REASON)
    for path in parts(silent)[:3]:
        answer = reader.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_sound")


def test_sound_that_was_changed_is_not_passed_off_as_evidence(
    site: Served, reader: httpx.Client, call: str
) -> None:
    file = site.settings.data_dir / "spool" / call / "index"
    index = bytearray(file.read_bytes())
    index[40] ^= 1
    file.write_bytes(bytes(index))
    answer = reader.get(f"/api/calls/{call}/playback.wav")
    assert (answer.status_code, answer.json()["code"]) == (500, "damaged")


def test_keystrokes_are_told_with_time_and_level_where_the_node_told_of_them(
    site: Served, reader: httpx.Client, call: str
) -> None:
    address = f"/api/calls/{call}/typing"
    assert reader.get(address).json() == {"told": False, "at_ms": [], "level_db": []}

    async def node_tells(conn: Connection) -> None:
        for strokes in ([(1200, -31)], [], [(300, -44), (900, -40)]):
            await keystrokes.add(conn, UUID(call), strokes, at=site.clock.utc_now())

    site.run(node_tells)
    told = {"told": True, "at_ms": [300, 900, 1200], "level_db": [-44, -40, -31]}
    assert reader.get(address).json() == told
