"""The administrator's pages: people, the access log, the health of the parts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from callsvc.retention import requests
from callsvc.store import Connection
from callsvc.types import Profile, Role
from tests.acceptance.screens.conftest import OpenScreen, Screen
from tests.acceptance.screens.looks import Looks
from tests.support import past_calls
from tests.support.web import Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]


def test_a_new_person_gets_in_with_the_password_that_is_shown_once(
    site: Served, open_screen: OpenScreen
) -> None:
    boss = open_screen(site)
    boss.sign_in("vera", Role.ADMIN)
    boss.go("/anvandare")
    page = boss.page
    page.get_by_role("button", name="Ny användare").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Namn", exact=True).fill("Noor Yusuf")
    dialog.get_by_label("Användarnamn").fill("vera")
    dialog.get_by_label("Kvalitetsgranskare").check()
    dialog.get_by_role("button", name="Skapa konto").click()
    expect(dialog.get_by_role("alert")).to_contain_text("upptaget")
    dialog.get_by_label("Användarnamn").fill("noor")
    dialog.get_by_role("button", name="Skapa konto").click()
    once = page.get_by_role("dialog").locator("code").inner_text()
    boss.keep("one-time")
    page.get_by_role("button", name="Klart").click()
    expect(page.get_by_text(once)).to_have_count(0)
    expect(page.get_by_role("row", name="Noor Yusuf")).to_contain_text("Ska byta engångslösenord")
    noor = open_screen(site)
    noor.page.goto(site.url)
    noor.enter("noor", once)
    expect(noor.page.get_by_role("heading", name="Välj ett eget lösenord")).to_be_visible()


def test_roles_change_and_an_account_closes_and_opens(site: Served, open_screen: OpenScreen) -> None:
    site.person("omar", Role.OPERATOR, shown="Omar Haddad")
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/anvandare")
    page = screen.page
    row = page.get_by_role("row", name="Omar Haddad")
    page.get_by_role("button", name="Ändra Omar Haddad").click()
    page.get_by_role("dialog").get_by_label("Utredare").check()
    page.get_by_role("button", name="Spara roller").click()
    expect(row).to_contain_text("Operatör, Utredare")
    page.get_by_role("button", name="Ändra Omar Haddad").click()
    page.get_by_role("button", name="Stäng kontot").click()
    expect(row).to_contain_text("Stängt")
    page.get_by_role("button", name="Ändra Omar Haddad").click()
    page.get_by_role("button", name="Öppna kontot").click()
    expect(row).to_contain_text("Aktivt")


def test_the_log_shows_who_looked_and_why_and_whether_it_was_touched(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    reader = open_screen(site)
    reader.sign_in("birgitta", Role.INVESTIGATOR)
    reader.open_call(call, "Begäran om utlämnande")
    expect(reader.page.get_by_role("button", name="dörren")).to_be_visible()
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/atkomstlogg")
    page = screen.page
    expect(page.get_by_text("Loggen är hel")).to_be_visible()
    row = page.get_by_role("row", name="Läste texten")
    expect(row).to_contain_text("Birgitta")
    expect(row).to_contain_text("Begäran om utlämnande")
    page.get_by_label("Person").select_option(label="Vera (vera)")
    expect(page.get_by_role("row", name="Läste texten")).to_have_count(0)

    async def tamper(conn) -> None:  # type: ignore[no-untyped-def]
        await conn.execute("alter table access_events disable trigger access_events_stay")
        await conn.execute("update access_events set reason = 'Klagomål' where id = 2")

    site.run(tamper)
    page.get_by_role("button", name="Kontrollera igen").click()
    expect(page.get_by_role("alert")).to_contain_text("Rad 2 är ändrad")
    looks = Looks(screen)
    looks.at("broken")
    looks.say()


def test_health_tells_in_words_what_is_away_and_what_to_do(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/drift")
    page = screen.page
    expect(page.get_by_role("status").filter(has_text="En del av tjänsten är borta.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Databasen")).to_contain_text("Fungerar")
    media = page.get_by_role("listitem").filter(has_text="Medienoden")
    expect(media.first).to_contain_text("Inga nya samtal kan kopplas")
    expect(media.first).to_contain_text("Kontrollera att callsvc media är igång")
    expect(media.first).to_contain_text("eller tidigare")
    expect(page.get_by_role("listitem").filter(has_text="Tidsstämplar")).to_contain_text(
        "Ingen tidsstämplingstjänst"
    )
    screen.keep()


def test_what_goes_tonight_is_shown_by_rule_and_a_hold_keeps_it(
    site: Served, open_screen: OpenScreen
) -> None:
    old = past_calls.BEGAN - timedelta(days=900)
    for n in range(3):
        at = old + timedelta(days=n)
        site.run(lambda conn, at=at: past_calls.finished(conn, at=at, profile=Profile.EMERGENCY))  # type: ignore[misc]
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/drift")
    page = screen.page
    page.get_by_role("link", name="Gallring").click()
    expect(page.get_by_text("I natt skulle 3 samtal gallras.")).to_be_visible()
    rule = page.get_by_role("listitem").filter(has_text="Nödsamtal till ledningscentralen")
    expect(rule).to_contain_text("Sparas 1 år efter utgången av samtalets kalenderår.")
    expect(rule).to_contain_text("4 kap. 10 §")
    page.get_by_role("button", name="Bevara Nödsamtal").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Skäl").fill("Åtal prövas")
    assert screen.faults() == []
    dialog.get_by_role("button", name="Bevara").click()
    expect(page.get_by_text("I natt skulle 2 samtal gallras.")).to_be_visible()
    expect(page.get_by_role("row", name="Åtal prövas")).to_contain_text("Gäller")
    page.get_by_role("radio", name="Bevaras 1").check()
    expect(page.get_by_text("Det går före alla regler.").last).to_be_visible()
    looks = Looks(screen)
    looks.at("held")
    page.get_by_role("button", name="Häv").click()
    page.get_by_role("dialog").get_by_label("Varför hävs det?").fill("Domen vann laga kraft")
    page.get_by_role("dialog").get_by_role("button", name="Häv").click()
    expect(page.get_by_text("I natt skulle 3 samtal gallras.")).to_be_visible()
    # An investigator asks that one of them be kept: it is, until that is answered.
    asks = site.person("inga", Role.INVESTIGATOR).id

    async def ask(conn: Connection) -> None:
        row = await (await conn.execute("select id from calls limit 1")).fetchone()
        assert row is not None
        await requests.ask(conn, row["id"], reason="Ny anmälan", by=asks, at=site.clock.utc_now())

    site.run(ask)
    page.reload()
    expect(page.get_by_text("I natt skulle 2 samtal gallras.")).to_be_visible()
    page.get_by_role("button", name="Avslå Ny anmälan").click()
    page.get_by_role("dialog").get_by_label("Varför?").fill("Redan avgjord")
    looks.at("refusing")
    page.get_by_role("dialog").get_by_role("button", name="Avslå").click()
    expect(page.get_by_text("I natt skulle 3 samtal gallras.")).to_be_visible()
    looks.say()


def test_a_checklist_and_a_line_are_changed_by_form_and_keyboard_and_brought_back(
    site: Served, open_screen: OpenScreen
) -> None:
    script = "<img src=x onerror=\"document.title='owned'\">"
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/kataloger/guides")
    page = screen.page
    keys = page.keyboard

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).press("Enter")

    def save(reason: str) -> None:
        press("Granska ändringarna")
        expect(page.get_by_role("dialog").get_by_label("Varför ändras den?")).to_be_focused()
        keys.type(reason)
        keys.press("Enter")

    press("Förhör")
    press("Flytta upp Uppläst")
    expect(page.get_by_role("button", name="Flytta upp Uppläst")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Plats 2 av 4")).to_be_attached()
    press("Lägg till punkt")
    expect(page.get_by_label("På svenska").last).to_be_focused()
    keys.type("Är i säkerhet nu")
    expect(page.get_by_label("Kortnamn").last).to_have_value("ar_i_sakerhet_nu")
    press("Granska ändringarna")
    english = page.get_by_label("På engelska").last
    expect(english).to_be_focused()
    expect(english).to_have_accessible_description("saknas")
    expect(page.get_by_role("alert")).to_contain_text("Checklista 2 › Punkt 5 › På engelska saknas")
    assert screen.faults() == []
    screen.keep("fault")
    keys.type("Is safe now")
    # Nothing is lost by going away, nor by looking at it as a text.
    page.get_by_role("link", name="Kataloger").first.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Stanna kvar").press("Enter")
    page.get_by_role("radio", name="Som text").check()
    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_value(re.compile('^# What an operator[^$]*sv = "Är i säkerhet nu"'))
    save(f"Ny rutin {script}")
    row = page.get_by_role("row", name="Version 1")
    expect(row).to_contain_text(script)
    expect(page.get_by_text("Version 1 är sparad")).to_be_visible()
    press("Återställ originalet")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Ändrade rader")).to_contain_text("Är i säkerhet nu")
    dialog.get_by_label("Varför ändras den?").fill("Den missförstods")
    keys.press("Enter")
    expect(page.get_by_role("row", name="Version 2")).to_contain_text("Tillbaka till originalet")
    expect(text).not_to_have_value(re.compile("Är i säkerhet nu"))
    screen.go("/kataloger/lines")
    press("Lägg till linje")
    for typed in ("PKC 114 14", "Contact centre", "114 14"):
        keys.type(typed)
        keys.press("Tab")
    page.get_by_label("Linjeprofil").select_option(label="Anmälan")
    press("Granska ändringarna")
    expect(page.get_by_label("Nummer")).to_be_focused()
    expect(page.get_by_text("får ha siffror").last).to_be_visible()
    keys.press("Control+a")
    keys.type("11414")
    save("Ny linje")
    expect(page.get_by_role("row", name="Version 1")).to_contain_text("Ny linje")
    screen.keep("line")
    screen.go("/atkomstlogg")
    page.get_by_role("combobox", name="Vad").select_option(label="Ändrade en katalog")
    expect(page.get_by_role("row", name="Checklistor och val")).to_have_count(2)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Hämta som CSV").click()
    rows = fetched.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 4
    assert "owned" not in page.title()


def change(site: Served, before: str, after: str) -> None:
    """Another administrator saves the checklists with other words."""
    with site.signed_in("karin", Role.ADMIN) as karin:
        told = karin.get("/api/catalogues/guides").json()
        body = {"version": told["version"], "body": told["body"].replace(before, after), "why": "Tydligare"}
        assert karin.put("/api/catalogues/guides", json=body).json()["version"] == told["version"] + 1


def test_what_two_people_wrote_at_once_is_put_together_and_where_both_did_is_told(
    site: Served, open_screen: OpenScreen
) -> None:
    screen: Screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    screen.go("/kataloger/guides")
    page = screen.page
    page.get_by_role("button", name="Förhör", exact=True).click()
    name = page.get_by_label("På svenska").first
    before = name.input_value()
    name.fill(f"{before} av vittne")
    change(site, f'"{before}"', f'"{before} av målsägande"')
    page.get_by_role("button", name="Granska ändringarna").click()
    page.get_by_role("dialog").get_by_label("Varför ändras den?").fill("Ny rutin")
    page.get_by_role("dialog").get_by_role("button", name="Spara ny version").click()
    page.get_by_role("dialog").get_by_role("button", name="Fortsätt redigera").click()
    expect(page.get_by_text("sparades av Karin medan du skrev.")).to_be_visible()
    looks = Looks(screen)
    looks.at("meanwhile")
    page.get_by_role("button", name="Lägg ihop med mina ändringar").click()
    expect(page.get_by_text("Ni har båda ändrat det här.")).to_be_visible()
    page.get_by_role("button", name=f"{before} av vittne", exact=True).click()
    expect(name).to_have_value(f"{before} av vittne")
    looks.at("both")
    looks.say()
