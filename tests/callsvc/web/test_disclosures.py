"""Handing out: on a legal basis whose questions are answered, with exactly what leaves; refusals are written down, too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from callsvc.disclosures import bases
from callsvc.types import Role
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens

ANSWERS = {"need": "Bedöma skyddsbehov.", "harm": "Adressen kan röja henne.", "less": "Datum räcker inte."}


def opened(site: Served, client: httpx.Client) -> UUID:
    """A transcribed call that this person has opened with a reason."""
    call = site.run(calls.finished)
    site.run(lambda conn: calls.transcribed(conn, call))
    client.post(f"/api/calls/{call}/access", json={"reason": "Begäran om utlämnande"})
    return call


def decide(client: httpx.Client, call: UUID, **fields: Any) -> httpx.Response:
    asked = {
        "basis": "balance", "answers": ANSWERS, "recipient": "Socialtjänsten", "granted": True,
        "motive": "Skyddsbedömning.", "copy_id": None,
    }  # fmt: skip
    return client.post(f"/api/calls/{call}/disclosures", json=asked | fields)


def test_what_leaves_is_told_to_the_word_and_a_copy_leaves_less(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        call = opened(site, inga)
        whole = inga.get(f"/api/calls/{call}/leaving").json()
        assert whole["heard_ms"] == 31_000
        assert whole["words"] == sum(len(text.split()) for _, text in calls.SAID)
        chosen = {"n": 5, "version": 0, "first": 4, "last": 5, "reason": "Var hon är."}
        copy = inga.post(
            f"/api/calls/{call}/redactions", json={"title": "Utan vistelseort", "chosen": [chosen]}
        ).json()
        less = inga.get(f"/api/calls/{call}/leaving", params={"copy": copy["id"]}).json()
        assert less["words"] == whole["words"] - 2
        assert less["heard_ms"] + less["silenced_ms"] == whole["heard_ms"]
        assert less["lines"][5]["text"].endswith("hos […]")
        last = less["lines"][5]
        (gone,) = less["silenced"]
        assert gone["end_ms"] - gone["start_ms"] == less["silenced_ms"]
        assert last["start_ms"] < gone["end_ms"]
        assert gone["start_ms"] < last["end_ms"]
        assert whole["silenced"] == []
        made = decide(inga, call, copy_id=copy["id"]).json()
        assert (made["words"], made["heard_ms"]) == (less["words"], less["heard_ms"])


def test_a_basis_whose_questions_are_not_answered_grants_nothing(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        call = opened(site, inga)
        faults: list[dict[str, Any]] = [
            {"answers": {}},
            {"answers": ANSWERS | {"harm": "  "}},
            {"basis": "because"},
        ]
        for wrong in faults:
            refused = decide(inga, call, **wrong)
            assert (refused.status_code, refused.json()["code"]) == (422, "basis_unanswered")
        assert inga.get(f"/api/calls/{call}/disclosures").json()["disclosures"] == []


def test_both_a_disclosure_and_a_refusal_are_kept_and_logged(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as inga, site.signed_in("vera", Role.ADMIN) as vera:
        call = opened(site, inga)
        decide(inga, call)
        decide(inga, call, granted=False, motive="Mindre räcker.")
        told = inga.get(f"/api/calls/{call}/disclosures").json()["disclosures"]
        assert [(one["granted"], one["words"] is None) for one in told] == [(True, False), (False, True)]
        assert {one["basis_version"] for one in told} == {bases.bases().version}
        events = vera.get("/api/access-events").json()["events"]
        assert [event["action"] for event in events].count("disclosure.decide") == 2


def test_without_a_reason_nothing_is_said_of_what_would_leave(site: Served) -> None:
    call = site.run(calls.finished)
    site.run(lambda conn: calls.transcribed(conn, call))
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        for answer in (inga.get(f"/api/calls/{call}/leaving"), decide(inga, call)):
            assert (answer.status_code, answer.json()["code"]) == (403, "reason_required")


def test_each_legal_basis_names_its_rule_and_asks_something() -> None:
    for one in bases.bases().basis:
        assert "kap." in one.source
        assert one.question
    with pytest.raises(ValueError, match="basis"):
        bases.read('version = "1"\n')
