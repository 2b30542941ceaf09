"""Search over every call: by what was said and what is known, for a purpose, and never what one may not know of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from callsvc.access import trail
from callsvc.shift import wrap_up
from callsvc.store import Connection, finding
from callsvc.types import Leg, Profile, Role
from callsvc.web.routes.search import PAGE
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens


@pytest.fixture
def inga(site: Served) -> Iterator[httpx.Client]:
    with site.signed_in("inga", Role.INVESTIGATOR) as client:
        yield client


def told(site: Served, text: str, *, case: str = "", **known: Any) -> UUID:
    """A call of Olle's in which the caller said this."""

    async def make(conn: Connection) -> UUID:
        call = await calls.finished(conn, **known)
        await calls.transcribed(conn, call, said=[(Leg.OPERATOR, "Vad hände?"), (Leg.CALLER, text)])
        row = await (await conn.execute("select id from users where name = 'olle'")).fetchone()
        assert row is not None
        await conn.execute("update calls set answered_by = %s where id = %s", [row["id"], call])
        if case:
            await wrap_up.save(
                conn, call, row["id"], case=case, labels=[], told=[], hand_over="", state="done", at=calls.BEGAN
            )  # fmt: skip
        return call

    return site.run(make)


def found(client: httpx.Client, **sought: Any) -> list[str]:
    answer = client.post("/api/search/calls", json=sought)
    assert answer.status_code == 200, answer.text
    return [call["call_id"] for call in answer.json()["calls"]]


def test_what_was_said_is_found_in_every_call_as_a_sentence_newest_first(
    site: Served, inga: httpx.Client
) -> None:
    site.person("olle", Role.OPERATOR, shown="Olle Berg")
    old = told(site, "Det luktade rök. Grannen sprang ut.", case="K1-26")
    new = told(site, "Grannarna hörde rop.", at=calls.BEGAN + timedelta(days=2))
    told(site, "Ingen var där.")
    answer = inga.post("/api/search/calls", json={"text": "grannen", "purpose": "K1-26"}).json()
    assert [call["call_id"] for call in answer["calls"]] == [str(new), str(old)]
    first = answer["calls"][1]
    assert (first["case"], first["operator"], first["opened"]) == ("K1-26", "Olle Berg", False)
    (sentence,) = first["sentences"]
    assert [word["text"] for word in sentence["words"] if word["found"]] == ["Grannen"]
    assert answer["next"] is None


def test_a_text_is_sought_for_a_purpose_which_stands_in_the_log_for_each_call_shown(
    site: Served, inga: httpx.Client
) -> None:
    site.person("olle", Role.OPERATOR)
    call = told(site, "Grannen sprang ut.")
    assert inga.post("/api/search/calls", json={"text": "grannen"}).json()["code"] == "reason_required"
    assert (
        inga.post("/api/search/calls", json={"text": "-", "purpose": "Utredning"}).json()["code"]
        == "nothing_sought"
    )
    assert found(inga, text="grannen", purpose="Utredning K1-26") == [str(call)]

    async def log(conn: Connection) -> list[tuple[str, str, str]]:
        events = await trail.events(conn, call_id=call)
        return [(one.action, one.reason, str(one.detail)) for one in events]

    assert site.run(log) == [("search.all", "Utredning K1-26", "{}")]


def test_calls_are_found_by_each_thing_that_is_known_of_them(site: Served, inga: httpx.Client) -> None:
    site.person("olle", Role.OPERATOR, shown="Olle Berg")
    long = told(site, "Ja.", case="0201-K5-26", length_ms=600_000, profile=Profile.INTERVIEW)
    short = told(site, "Nej.", at=calls.BEGAN + timedelta(days=5), length_ms=20_000)
    both = [str(short), str(long)]
    day = (calls.BEGAN + timedelta(days=1)).isoformat()
    assert found(inga) == both
    assert found(inga, case="0201-k") == [str(long)]
    assert found(inga, profile="interview") == [str(long)]
    assert found(inga, operator="berg") == both
    assert found(inga, operator="lind") == []
    assert found(inga, since=day) == [str(short)]
    assert found(inga, until=day) == [str(long)]
    assert found(inga, least_ms=60_000) == [str(long)]
    assert found(inga, most_ms=60_000) == [str(short)]
    assert found(inga, language="sv") == both
    assert found(inga, language="ar") == []
    assert found(inga, text="ja", purpose="Utredning", profile="report") == []


def test_a_call_of_the_anonymous_line_is_in_no_answer_and_in_no_count(
    site: Served, inga: httpx.Client
) -> None:
    site.person("olle", Role.OPERATOR)
    for n in range(PAGE + 1):
        told(site, "Jag är rädd.", profile=Profile.ANONYMOUS, at=calls.BEGAN + timedelta(hours=n))
    other = told(site, "Jag är rädd.")
    answer = inga.post("/api/search/calls", json={"text": "rädd", "purpose": "Utredning"}).json()
    assert [call["call_id"] for call in answer["calls"]] == [str(other)]
    assert answer["next"] is None
    assert found(inga) == [str(other)]


def test_pages_follow_each_other_without_a_gap(site: Served, inga: httpx.Client) -> None:
    site.person("olle", Role.OPERATOR)
    every = [str(told(site, "Hund.", at=calls.BEGAN - timedelta(hours=n))) for n in range(PAGE + 3)]
    first = inga.post("/api/search/calls", json={"text": "hund", "purpose": "Utredning"}).json()
    assert [call["call_id"] for call in first["calls"]] == every[:PAGE]
    assert found(inga, text="hund", purpose="Utredning", after=first["next"]) == every[PAGE:]


@pytest.mark.parametrize("few", [0, 1000])
def test_what_lies_further_back_than_the_newest_calls_is_found_just_as_well(
    site: Served, inga: httpx.Client, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(finding, "NEAR", 1)
    monkeypatch.setattr(finding, "FEW", few)
    monkeypatch.setattr("callsvc.web.routes.search.PAGE", 1)
    site.person("olle", Role.OPERATOR, shown="Olle Berg")
    told(site, "Ingen var där.", at=calls.BEGAN + timedelta(days=3))
    new = str(told(site, "Grannen kom. Grannen gick.", case="K1-26", at=calls.BEGAN + timedelta(days=1)))
    old = str(told(site, "Hunden och grannen.", case="K1-26"))
    asked: dict[str, Any] = {"text": "grannen", "purpose": "Utredning"}
    for known in ({}, {"case": "k1"}, {"operator": "berg"}, {"language": "sv"}, {"least_ms": 1}):
        first = inga.post("/api/search/calls", json=asked | known).json()
        assert [call["call_id"] for call in first["calls"]] == [new], known
        assert found(inga, **asked, **known, after=first["next"]) == [old], known
    assert found(inga, **asked, language="ar") == []
    day = calls.BEGAN + timedelta(hours=12)
    assert found(inga, **asked, since=day.isoformat()) == [new]
    assert found(inga, **asked, until=day.isoformat()) == [old]
    # The books may learn later when a call began; its words follow it.
    site.run(
        lambda conn: conn.execute(
            "update calls set started_at = started_at - interval '3 days' where id = %s", [new]
        )
    )
    assert found(inga, **asked) == [old]
    site.run(
        lambda conn: conn.execute(
            "update calls set started_at = started_at + interval '3 days' where id = %s", [new]
        )
    )
    first = inga.post("/api/search/calls", json={"case": "K1-26"}).json()
    assert [call["call_id"] for call in first["calls"]] == [new]
    assert found(inga, case="K1-26", after=first["next"]) == [old]
    for forged in ("x", "eA==", "MjAyNi0wMS0wMSAxIDEgMQ=="):
        assert inga.post("/api/search/calls", json={"after": forged}).json()["code"] == "invalid"


def test_a_reason_is_remembered_for_the_calls_of_the_same_case_and_no_others(
    site: Served, inga: httpx.Client
) -> None:
    site.person("olle", Role.OPERATOR)
    one, other = told(site, "Ja.", case="K1-26"), told(site, "Nej.", case="K1-26")
    elsewhere = told(site, "Hm.", case="K2-26")
    inga.post(f"/api/calls/{one}/access", json={"reason": "Utredning: K1-26"})
    assert inga.get(f"/api/calls/{other}").json()["reason_before"] == "Utredning: K1-26"
    assert inga.get(f"/api/calls/{elsewhere}").json()["reason_before"] is None
    opened = {
        call["call_id"]: call["opened"] for call in inga.post("/api/search/calls", json={}).json()["calls"]
    }
    assert opened == {str(one): True, str(other): False, str(elsewhere): False}
