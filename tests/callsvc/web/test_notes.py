"""Beside a call: only its operator writes, each save knows what it changes, and others read with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from callsvc.access import trail
from callsvc.shift import guides
from callsvc.store import call_notes
from callsvc.store import calls as stored
from callsvc.types import Profile, Role
from tests.callsvc.web.test_shift import come, ended, joined, ringing
from tests.support.web import Served

pytestmark = pytest.mark.screens


def answered(site: Served, client: httpx.Client, profile: Profile = Profile.REPORT) -> UUID:
    """A call that this operator has answered and that goes on."""
    call = ringing(site, profile)
    assert client.post(f"/api/calls/{call}/answer").status_code == 200
    now = site.clock.utc_now()
    joined(site, call)
    site.run(lambda conn: stored.start(conn, call, profile=profile, node="node-1", at=now))
    return call


def save(
    client: httpx.Client, call: UUID, lines: Sequence[tuple[int | None, str]], revision: int
) -> httpx.Response:
    told = [{"at_ms": at_ms, "text": text} for at_ms, text in lines]
    return client.put(f"/api/calls/{call}/notes", json={"revision": revision, "lines": told})


def wrap_up(client: httpx.Client, call: UUID, **fields: Any) -> httpx.Response:
    empty = {"case_number": "", "labels": [], "told": [], "hand_over": "", "state": "done"}
    return client.put(f"/api/calls/{call}/wrap-up", json=empty | fields)


def test_notes_are_kept_line_by_line_with_their_moments(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        assert save(anna, call, [(1200, "Hon är rädd.")], 0).json() == {"revision": 1}
        assert save(anna, call, [(1200, "Hon är rädd."), (5000, "Två barn.")], 1).json() == {"revision": 2}
        told = anna.get(f"/api/calls/{call}/notes").json()["notes"]
        assert [(line["at_ms"], line["text"]) for line in told[0]["lines"]] == [
            (1200, "Hon är rädd."),
            (5000, "Två barn."),
        ]
        assert told[0]["mine"] is True


def test_what_nobody_sees_is_left_out_of_what_is_written(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        # Pasted with the text, and neither to stop the saving nor to turn the words round for the next reader.
        pasted = "Hon\x00 sa\x07 \u202enej\u202c\x1b,\ttvå\ngånger: لا"
        assert save(anna, call, [(None, pasted)], 0).json() == {"revision": 1}
        (line,) = anna.get(f"/api/calls/{call}/notes").json()["notes"][0]["lines"]
        assert line["text"] == "Hon sa nej,\ttvå\ngånger: لا"


def test_a_second_page_learns_that_the_text_has_changed(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        save(anna, call, [(0, "ett")], 0)
        save(anna, call, [(0, "ett två")], 1)
        for stale in (0, 1, 7):
            refused = save(anna, call, [(0, "annat")], stale)
            assert (refused.status_code, refused.json()["code"]) == (409, "notes_changed")
        assert anna.get(f"/api/calls/{call}/notes").json()["notes"][0]["lines"][0]["text"] == "ett två"


def test_anothers_call_is_not_there_to_write_beside(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("omar", Role.OPERATOR) as omar:
        call = answered(site, anna)
        tick = {"checklist": "injured", "item": "safe", "ticked": True, "at_ms": None}
        consent = {"who": "Uppringare", "what": "recording", "given": True, "at_ms": None}
        for answer in (
            save(omar, call, [(0, "hej")], 0),
            omar.put(f"/api/calls/{call}/ticks", json=tick),
            omar.post(f"/api/calls/{call}/consents", json=consent),
            wrap_up(omar, call),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "missing")
        assert omar.get(f"/api/calls/{call}/notes").status_code == 403


def test_others_read_with_the_right_and_a_reason_which_is_logged(site: Served) -> None:
    with (
        site.signed_in("anna", Role.OPERATOR) as anna,
        site.signed_in("inga", Role.INVESTIGATOR) as inga,
        site.signed_in("vera", Role.ADMIN) as vera,
    ):
        call = answered(site, anna)
        save(anna, call, [(0, "Hon är rädd.")], 0)
        assert inga.get(f"/api/calls/{call}/notes").json()["code"] == "reason_required"
        assert vera.get(f"/api/calls/{call}/notes").json()["code"] == "not_allowed"
        inga.post(f"/api/calls/{call}/access", json={"reason": "Utredning"})
        told = inga.get(f"/api/calls/{call}/notes").json()["notes"]
        assert (told[0]["author"], told[0]["mine"]) == ("Anna", False)
        actions = [event["action"] for event in vera.get("/api/access-events").json()["events"]]
        assert actions.count("notes.begin") == 1
        assert "notes.read" in actions


def test_a_tick_has_its_moment_and_can_be_taken_back(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        tick = {"checklist": "injured", "item": "protection", "ticked": True, "at_ms": 4200}
        assert anna.put(f"/api/calls/{call}/ticks", json=tick).status_code == 204
        told = anna.get(f"/api/calls/{call}/notes").json()["ticks"]
        assert [(one["item"], one["ticked"], one["at_ms"]) for one in told] == [("protection", True, 4200)]
        anna.put(f"/api/calls/{call}/ticks", json=tick | {"ticked": False})
        assert anna.get(f"/api/calls/{call}/notes").json()["ticks"][0]["ticked"] is False
        for wrong in ({"item": "nothing"}, {"checklist": "anonymous", "item": "not_kept"}):
            assert anna.put(f"/api/calls/{call}/ticks", json=tick | wrong).status_code == 422


def test_a_call_is_written_up_before_the_next_is_offered_unless_it_is_put_off(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        come(anna)
        first = answered(site, anna)
        ended(site, first)
        second = ringing(site)
        told = anna.get("/api/shift").json()
        assert [one["call_id"] for one in told["to_write_up"]] == [str(first)]
        assert told["offer"] is None
        wrap_up(anna, first, state="later")
        told = anna.get("/api/shift").json()
        assert told["offer"]["call_id"] == str(second)
        assert told["to_write_up"][0]["later"] is True
        assert wrap_up(anna, first, case_number="0201-k 1234-26", labels=["threat"]).status_code == 204
        assert anna.get("/api/shift").json()["to_write_up"] == []
        filed = anna.get(f"/api/calls/{first}/notes").json()["wrap_up"]
        assert (filed["case_number"], filed["labels"]) == ("0201-K1234-26", ["threat"])


def test_what_is_written_up_is_closed_and_a_consent_can_still_be_withdrawn(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        consent = {"who": "Uppringare", "what": "social_services", "given": True, "at_ms": 900}
        made = anna.post(f"/api/calls/{call}/consents", json=consent).json()
        ended(site, call)
        wrap_up(anna, call)
        for answer in (save(anna, call, [(0, "efteråt")], 0), wrap_up(anna, call)):
            assert (answer.status_code, answer.json()["code"]) == (409, "notes_closed")
        assert anna.post(f"/api/calls/{call}/consents/{made['id']}/withdrawal").status_code == 204
        told = anna.get(f"/api/calls/{call}/notes").json()["consents"]
        assert told[0]["given"] is True
        assert told[0]["withdrawn_at"] is not None


def test_the_anonymous_line_is_joined_to_no_case(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna, Profile.ANONYMOUS)
        refused = wrap_up(anna, call, case_number="0201-K1-26")
        assert (refused.status_code, refused.json()["code"]) == (409, "no_case_here")
        assert wrap_up(anna, call).status_code == 204


def test_that_a_call_joins_a_case_or_leaves_it_is_written_down(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        ended(site, call)
        for number, state in (("A1-26", "open"), ("A1-26", "open"), ("B2-26", "later"), ("", "done")):
            assert wrap_up(anna, call, case_number=number, state=state).status_code == 204
    told = [one for one in site.run(lambda conn: trail.events(conn, call_id=call)) if "case" in one.action]
    assert [(one.action, one.object_id) for one in reversed(told)] == [
        ("case.join", "A1-26"),
        ("case.leave", "A1-26"),
        ("case.join", "B2-26"),
        ("case.leave", "B2-26"),
    ]


@pytest.mark.parametrize("number", ["ab", "../../etc/passwd", "<b>1</b>", "x" * 50, "åäö-12", "ABC-DEF"])
def test_what_is_no_case_number_is_refused(site: Served, number: str) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        assert wrap_up(anna, call, case_number=number).status_code == 422


def test_the_guides_are_whole_and_each_line_has_a_checklist() -> None:
    found = guides.guides()
    for profile in Profile:
        assert found.checklists(profile), profile
    for one in found.checklist:
        assert len({item.id for item in one.item}) == len(one.item)


def test_a_guide_that_is_not_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="checklist"):
        guides.read('[[checklist]]\nid = "x"\n')


def test_what_the_caller_was_played_is_told_with_when_and_by_whom(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna:
        call = answered(site, anna)
        now = site.clock.utc_now()
        for at_ms, name, language, by in (
            (0, "recording", "sv", "line"),
            (4000, "wait", "ar", "operator"),
            (9000, "wait", "ar", "service"),
        ):
            what = {"announcement": name, "version": "1", "language": language, "state": "begun", "by": by}
            site.run(
                partial(call_notes.add, call_id=call, note="announcement", at_ms=at_ms, what=what, at=now)
            )
        told = anna.get(f"/api/calls/{call}/notes").json()["announced"]
        assert [
            (one["announcement"], one["language"], one["at_ms"], one["source"], one["by"]) for one in told
        ] == [
            ("recording", "sv", 0, "line", None),
            ("wait", "ar", 4000, "operator", "Anna"),
            ("wait", "ar", 9000, "service", None),
        ]
