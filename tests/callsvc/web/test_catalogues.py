"""What administrators edit, over HTTP: checked at each field, in force at once, and never lost."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from callsvc.bus import edition
from callsvc.bus.edition import Refusal, Standing
from callsvc.store import Connection
from callsvc.types import Role
from callsvc.web import catalogues
from callsvc.web.catalogues import Catalogues
from tests.support.web import Served

pytestmark = pytest.mark.screens


LINE = '[[line]]\nid = "a"\nnumber = "114"\nsv = "A"\nen = "A"\nprofile = "report"\n'


def body(client: httpx.Client, kind: str) -> str:
    return str(client.get(f"/api/catalogues/{kind}").json()["body"])


def save(client: httpx.Client, kind: str, text: str, version: int = 0) -> httpx.Response:
    asked = {"version": version, "body": text, "why": "Ny rutin från årsskiftet"}
    return client.put(f"/api/catalogues/{kind}", json=asked)


def test_everything_that_comes_with_the_service_is_whole() -> None:
    for kind, held in catalogues.KINDS.items():
        assert catalogues.faults(kind, held.packaged(), "sv") == []


@pytest.mark.parametrize(
    ("kind", "before", "after", "field", "message"),
    [
        ("line-profiles", "record = true", 'record = "kanske"', "emergency › record", "true eller false"),
        ("line-profiles", "[interview]", "[intervju]", "intervju", "finns inte"),
        ("guides", 'id = "purpose"', 'id = "Purpose!"', "checklist 2 › item 1 › id", "små bokstäver"),
        (
            "guides",
            'profiles = ["interview", "report"]',
            "profiles = []\nx = 1",
            "checklist 2 › x",
            "finns inte",
        ),
        ("lines", "version = 1", f"version = 1\n{LINE}{LINE}", "line 2 › id", "finns redan"),
        (
            "lines",
            "version = 1",
            f"version = 1\n{LINE}{LINE.replace(chr(34) + 'a' + chr(34), chr(34) + 'b' + chr(34))}",
            "line 2 › number",
            "samma nummer",
        ),
        ("line-profiles", "recall_s = 0", "recall_s = 60", "anonymous › recall_s", "anonyma linjen"),
        ("guides", 'id = "safe"', 'id = "support"', "checklist 1 › item 3 › id", "finns redan"),
        ("scorecard", 'scale = "heard"', 'scale = "seen"', "question 7 › scale", "skalan finns inte"),
        ("scorecard", "points = 1.0", 'points = "1,0"', "scale 1 › choice 1 › points", "ett tal"),
        ("retention", "days = 30\n", "days = 0\n", "rule 1 › years", "behåller ingenting"),
        ("bases", 'sv = "Vilken bestämmelse?"', 'sv = ""', "basis 4 › question 1 › sv", "saknas"),
        ("lines", "version = 1", f"version = 1\n{LINE}operator = 'pbx'", "line 1 › operator", "sip:100@"),
        ("bases", "source = ", "kalla = ", "basis 1 › source", "saknas"),
        ("guides", '[[checklist]]\nid = "interview"', "[[checklist\n", "", "Rad "),
    ],
)
def test_a_fault_is_told_at_its_field(kind: str, before: str, after: str, field: str, message: str) -> None:
    text = catalogues.KINDS[kind].packaged()
    assert before in text
    told = catalogues.faults(kind, text.replace(before, after), "sv")
    assert any(one.field == field and message in one.message for one in told), told


def test_what_has_faults_is_not_saved(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera:
        text = body(vera, "bases").replace("source = ", "kalla = ", 1)
        told = save(vera, "bases", text).json()
        assert told["version"] is None
        assert {
            "field": "basis 1 › source",
            "at": ["basis", 0, "source"],
            "message": "saknas",
            "line": None,
        } in told["faults"]
        assert (
            vera.post("/api/catalogues/bases/check", json={"body": text}).json()["faults"] == told["faults"]
        )
        assert vera.get("/api/catalogues/bases").json()["version"] == 0


def test_a_form_is_saved_as_a_text_in_which_what_people_wrote_stands(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera:
        shown = vera.get("/api/catalogues/guides").json()
        value = shown["value"]
        assert value["checklist"][1]["item"][0]["id"] == "purpose"
        value["checklist"].reverse()
        value["label"][0] |= {"sv": "Våld hemma", "en": ""}
        asked = {"version": 0, "value": value, "why": "Ny ordning"}
        told = vera.put("/api/catalogues/guides", json=asked).json()
        assert told["version"] is None
        assert [(one["at"], one["message"]) for one in told["faults"]] == [(["label", 0, "en"], "saknas")]
        value["label"][0]["en"] = "Violence at home"
        checked = vera.post("/api/catalogues/guides/check", json={"value": value}).json()
        assert (checked["faults"], checked["value"]) == ([], value)
        # A text that was written first, and then the form: what was written in it stays.
        over = {"value": value, "body": shown["body"].replace("[[told]]", "# Av oss.\n[[told]]", 1)}
        assert "# Av oss.\n[[told]]" in vera.post("/api/catalogues/guides/check", json=over).json()["body"]
        compared = vera.post("/api/catalogues/guides/changes", json={"value": value}).json()["lines"]
        assert 'sv = "Våld hemma"' in [one["text"] for one in compared if one["kind"] == "in"]
        assert vera.put("/api/catalogues/guides", json=asked).json()["version"] == 1
        saved = vera.get("/api/catalogues/guides").json()
        assert saved["value"] == value
        assert saved["body"].startswith("# What an operator is reminded of")
        for wrong in ({}, {"value": {"a": [[[[[[[[[[[[[1]]]]]]]]]]]]]}}):
            assert vera.post("/api/catalogues/guides/check", json=wrong).status_code == 422
        unread = vera.post("/api/catalogues/guides/check", json={"body": "[["}).json()
        assert (unread["value"], unread["faults"][0]["line"]) == (None, 1)


def test_two_who_edit_at_once_both_keep_what_they_wrote(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera, site.signed_in("nils", Role.ADMIN) as nils:
        shown = vera.get("/api/catalogues/sampling").json()
        hers, his = shown["value"], nils.get("/api/catalogues/sampling").json()["value"]
        hers["rule"][0]["share_pct"] = 4
        his["rule"][0]["share_pct"], his["calibrated_pct"] = 3, 20
        assert vera.put(
            "/api/catalogues/sampling", json={"version": 0, "value": hers, "why": "Fler"}
        ).json() == {"faults": [], "version": 1}
        asked = {"version": 0, "value": his, "why": "Fler"}
        assert nils.put("/api/catalogues/sampling", json=asked).json()["code"] == "edited_meanwhile"
        told = nils.post("/api/catalogues/sampling/merge", json=asked | {"why": None}).status_code
        assert told == 422
        together = nils.post("/api/catalogues/sampling/merge", json={"version": 0, "value": his}).json()
        assert (together["version"], together["both"]) == (1, [["rule", 0, "share_pct"]])
        assert (together["value"]["rule"][0]["share_pct"], together["value"]["calibrated_pct"]) == (3, 20)
        asked = {"version": 1, "value": together["value"], "why": "Båda"}
        assert nils.put("/api/catalogues/sampling", json=asked).json()["version"] == 2
        unread = nils.post("/api/catalogues/sampling/merge", json={"version": 0, "body": "[["}).json()
        assert unread["value"] is None
        assert unread["faults"]


def test_a_list_that_is_saved_is_asked_from_then_on_and_brought_back_by_undoing(site: Served) -> None:
    new = 'sv = "Är i säkerhet just nu"'
    with site.signed_in("vera", Role.ADMIN) as vera, site.signed_in("omar", Role.OPERATOR) as omar:

        def asked() -> bool:
            return "Är i säkerhet just nu" in omar.get("/api/guides").text

        text = body(vera, "guides").replace('sv = "Är i säkerhet och kan tala fritt"', new)
        compared = vera.post("/api/catalogues/guides/changes", json={"body": text}).json()["lines"]
        assert [one["text"] for one in compared if one["kind"] == "in"] == [new]
        assert not asked()
        assert save(vera, "guides", text).json() == {"faults": [], "version": 1}
        assert asked()
        # Who looked at an older text does not write over it.
        stale = save(vera, "guides", text.replace("just nu", "ännu"))
        assert (stale.status_code, stale.json()["code"]) == (409, "edited_meanwhile")
        back = {"version": 1, "to": 0, "why": "Formuleringen missförstods"}
        assert vera.post("/api/catalogues/guides/undo", json=back).json()["version"] == 2
        assert not asked()
        shown = vera.get("/api/catalogues/guides").json()
        assert [(one["version"], one["undoes"], one["by"]["name"]) for one in shown["history"]] == [
            (2, 0, "vera"),
            (1, None, "vera"),
        ]
        between = vera.get("/api/catalogues/guides/versions/1/changes/2").json()["lines"]
        assert [one["text"] for one in between if one["kind"] == "out"] == [new]
        log = vera.get("/api/access-events").json()["events"]
        assert {"Ny rutin från årsskiftet", "Formuleringen missförstods"} <= {one["reason"] for one in log}
        assert vera.get("/api/catalogues/secrets").status_code == 404
        assert vera.get("/api/catalogues/guides/versions/9/changes/0").status_code == 404


def test_a_line_profile_that_is_saved_is_for_the_nodes_and_a_set_that_would_find_callers_is_not(
    site: Served,
) -> None:
    def for_nodes() -> dict[str, bytes]:
        return asyncio.run_coroutine_threadsafe(site.site.catalogues.for_nodes(), site.loop).result(60)

    with site.signed_in("vera", Role.ADMIN) as vera:
        text = "version = 1\n" + "".join(
            f"[{name}]\nrecord = {'false' if name == 'anonymous' else 'true'}\nrecall_s = {seconds}\n"
            for name, seconds in (("emergency", 60), ("report", 42), ("interview", 60), ("anonymous", 0))
        )
        found = save(vera, "line-profiles", text.replace("record = false", "record = true")).json()["faults"]
        assert [one["message"] for one in found] == [
            "den anonyma linjen sparar inget nummer, inget ljud och inget att lyssna om på"
        ]
        assert for_nodes() == {}
        assert save(vera, "line-profiles", text).json()["version"] == 1
        found = edition.load(for_nodes()["line-profiles"])
        found.check(site.site.token_key.public_key())
        assert (found.version, found.body) == (1, text)
        # What the nodes say of it is shown with it.
        told = Standing(1, found.sha256, "screens")
        site.site.nodes.hear("node-1", {"line-profiles": told})
        site.site.nodes.hear("node-2", {"line-profiles": Standing(refused=Refusal(1, "x"))})
        site.site.nodes.hear("node-3", {"line-profiles": told})
        site.site.nodes.hear("node-3", None)
        shown = vera.get("/api/catalogues/line-profiles").json()["nodes"]
        assert [(one["node"], one["here"], one["agrees"], one["version"]) for one in shown] == [
            ("node-1", True, True, 1),
            ("node-2", True, False, 0),
            ("node-3", False, True, 1),
        ]
        assert (shown[1]["refused_version"], shown[1]["refused_why"]) == (1, "x")
        assert vera.get("/api/catalogues/guides").json()["nodes"] is None


def test_another_process_takes_in_what_was_saved_and_leaves_out_what_is_not_whole(
    site: Served,
) -> None:
    async def meanwhile(conn: Connection) -> None:
        await conn.execute(
            "insert into catalogues (kind, version, body, why, at) values ('scorecard', 1, 'broken', 'x', now()),"
            " ('bases', 1, %s, 'x', now())",
            [catalogues.KINDS["bases"].packaged().replace("version = ", 'version = "9" #')],
        )
        await other.refresh(conn)

    other = Catalogues(site.site.database, site.site.token_key)
    site.run(meanwhile)
    assert catalogues.KINDS["bases"]().version == "9"
    assert catalogues.KINDS["scorecard"]().version
    Catalogues(site.site.database, site.site.token_key)
    assert catalogues.KINDS["bases"]().version != "9"
