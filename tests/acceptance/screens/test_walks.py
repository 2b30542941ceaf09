"""The days of the investigator and the administrator by keyboard alone, kept step by step under var/screens.

At each step the focus is seen, and never lost (tests/support/walk.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from callsvc.jobs import Work
from callsvc.types import Profile, Role
from callsvc.worker import bundling
from tests.acceptance.screens.conftest import SHOWN, OpenScreen
from tests.acceptance.screens.looks import Looks
from tests.acceptance.screens.test_case_page import NUMBER, only_disclosure, written_up
from tests.support import past_calls as calls
from tests.support.model_files import model_directory
from tests.support.walk import Walk
from tests.support.web import PASSWORD, Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]


def entered(walk: Walk, site: Served, name: str) -> None:
    """From the door to the first page."""
    page = walk.page
    page.goto(site.url)
    expect(page.get_by_label("Användarnamn")).to_be_focused()
    walk.write(name)
    walk.tab_to("Lösenord", "textbox")
    walk.write(PASSWORD, secret=True)
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Samtalslista", level=1)).to_be_focused()


def found_and_opened(walk: Walk) -> None:
    """By what was said to the call, and through the door of reasons."""
    page = walk.page
    walk.tab_to("Ärenden", "link")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Ärenden", level=1)).to_be_focused()
    walk.tab_to("Något som sades")
    walk.write("systern")
    walk.tab_to("Utredning", "radio")
    walk.press("Space")
    walk.press("Enter")
    expect(page.locator(".found-call")).to_have_count(2)
    walk.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Sök")
    walk.press("Escape")
    for _ in range(2):  # in the newer call, and in this one
        walk.tab_to("00:25", "link")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Bevis på tystnad")).to_be_visible()
    walk.tab_to("Utredning", "radio")
    walk.press("Space", "ArrowRight", "ArrowLeft")
    expect(page.get_by_label("Utredning")).to_be_checked()
    walk.tab_to("Öppna samtalet")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Lyssna")).to_be_focused()


def heard_read_and_corrected(walk: Walk, looks: Looks) -> None:
    page = walk.page
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "00:24 av 00:30")
    walk.press("x", "k")
    expect(page.get_by_role("button", name="Pausa")).to_be_visible()
    walk.press("k")
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()
    walk.tab_to("Plats i samtalet", "slider")
    walk.press("Home", "l", "l", "j", "+", "-")
    expect(slider).to_have_attribute("aria-valuetext", "00:05 av 00:30")
    walk.press("i", "l", "o")
    expect(page.get_by_text("Upprepar 00:05,0–00:10,0")).to_be_visible()
    walk.press("Escape")
    walk.tab_to("Markeringar")
    walk.press("Enter")
    looks.at("lanes")
    walk.tab_to("00:16", "button")
    walk.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", "00:16 av 00:30")
    walk.tab_to("Han", "button")
    walk.press("ArrowRight", "ArrowRight", "Enter")
    expect(page.get_by_role("button", name="Pausa")).to_be_visible()
    walk.press("k", "u")
    expect(page.locator(".word.now")).to_have_text("skrek (osäkert)")
    walk.press("e")
    expect(page.get_by_label("Texten som den ska vara")).to_be_focused()
    walk.press("Control+a")
    walk.write("Han stod utanför dörren.")
    walk.press("Enter")
    expect(page.get_by_role("button", name="Rätta yttrandet vid 00:15")).to_be_focused()
    walk.press("h")
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_contain_text("Inga")
    looks.at("history")
    walk.tab_to("Ta tillbaka")
    walk.press("Enter")
    walk.tab_to("Stäng")
    walk.press("Enter")
    expect(page.get_by_role("button", name="skrek (osäkert)")).to_be_visible()
    walk.press("u")
    expect(page.locator(".word.now")).to_have_text("syster. (mindre säkert)")


def handed_out(walk: Walk, site: Served, looks: Looks) -> None:
    """A copy without a stretch of words, on a legal basis, as a signed bundle."""
    page = walk.page
    walk.tab_to("Begär att samtalet bevaras")
    walk.press("Enter")
    looks.at("asking-to-keep")
    walk.write("Åtal prövas")
    walk.press("Enter")
    expect(page.get_by_text("väntar på svar, bevaras så länge")).to_be_visible()
    walk.tab_to("Lämna ut ur samtalet")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Lämna ut", exact=True)).to_be_focused()
    walk.tab_to("Gör en kopia utan vissa ord")
    walk.press("Enter")
    expect(page.get_by_role("button", name="Ja.", exact=True)).to_be_focused()
    walk.press("ArrowRight", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight")
    goes = page.locator(".goes-now [role=status]")
    expect(goes).to_contain_text("4 ord och")
    looks.at("choosing")
    walk.press("Control+z")
    expect(goes).to_have_text("Inget är valt.")
    walk.press("Shift+ArrowLeft")
    expect(goes).to_contain_text("2 ord och")
    walk.tab_to("Namnge kopian")
    walk.press("Enter")
    walk.tab_to("Kopians namn")
    walk.write("Utan vistelseort")
    walk.tab_to("Varför orden tas bort")
    walk.write("Skyddad plats")
    walk.tab_to("Gör kopian")
    walk.press("Enter")
    expect(page.get_by_role("button", name="Gör en kopia utan vissa ord")).to_be_focused()
    walk.tab_to("Samtycke", "radio")
    walk.press("ArrowDown", "ArrowDown")
    walk.tab_to("Varför går arbetet inte att göra")
    walk.write("Skyddsbedömningen bygger på samtalet.")
    walk.tab_to("Mottagare")
    walk.write("Socialtjänsten")
    walk.tab_to("Motivering")
    walk.write("Barn i hemmet.")
    looks.at("basis")
    walk.tab_to("Lämna ut", "button")
    walk.press("Enter")
    expect(page.get_by_text("Utlämnat till Socialtjänsten")).to_be_visible()
    walk.tab_to("Gör signerat paket")
    walk.press("Enter")
    expect(page.get_by_text("Paketet görs")).to_be_visible()
    work = Work(site.settings, site.site.database, site.clock, 1, 1)
    site.wait(bundling.bundle_disclosure(work, disclosure=site.run(only_disclosure)))
    expect(page.get_by_role("link", name="Hämta paketet")).to_be_visible()
    looks.at("handed-out")
    walk.tab_to("Hämta paketet", "link")
    with page.expect_download():
        walk.press("Enter")


def seen_in_its_case(walk: Walk) -> None:
    """The calls of the case on one line, what was told already, and from there to the place where it was."""
    page = walk.page
    walk.press("g", "r")
    expect(page.get_by_role("heading", name="Ärenden", level=1)).to_be_focused()
    walk.tab_to(NUMBER, "link")
    walk.press("Enter")
    walk.tab_to("Öppna ärendets samtal")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Redan berättat")).to_be_focused()
    walk.tab_to("Ämne")
    walk.write("syster")
    walk.press("Enter")
    walk.tab_to("Spela från 00:25", "link")
    walk.press("Enter")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "00:24 av 00:30")


def test_an_investigators_day_by_keys_alone(site: Served, call: str, open_screen: OpenScreen) -> None:
    site.person("inga", Role.INVESTIGATOR)
    other = site.run(lambda conn: calls.finished(conn, at=calls.BEGAN + timedelta(days=3)))
    site.run(lambda conn: calls.transcribed(conn, other))
    written_up(site, UUID(call), "Slog på dörren.")
    written_up(site, other, "Ringde för första gången.")
    screen = open_screen(site, reduced_motion="reduce")
    walk = Walk(screen.page, SHOWN / screen.name)
    entered(walk, site, "inga")
    found_and_opened(walk)
    looks = Looks(screen)
    heard_read_and_corrected(walk, looks)
    handed_out(walk, site, looks)
    seen_in_its_case(walk)
    walk.keep()
    looks.say()


def people_kept(walk: Walk) -> None:
    page = walk.page
    walk.tab_to("Användare", "link")
    walk.press("Enter")
    walk.tab_to("Ny användare")
    walk.press("Enter")
    walk.write("Noor Yusuf")
    walk.tab_to("Användarnamn")
    walk.write("noor")
    walk.tab_to("Kvalitetsgranskare", "checkbox")
    walk.press("Space")
    walk.tab_to("Skapa konto")
    walk.press("Enter")
    expect(page.get_by_role("dialog").locator("code")).to_be_visible()
    walk.tab_to("Klart")
    walk.press("Enter")
    row = page.get_by_role("row", name="Omar Haddad")
    walk.tab_to("Ändra Omar Haddad")
    walk.press("Enter")
    walk.tab_to("Utredare", "checkbox")
    walk.press("Space")
    walk.tab_to("Spara roller")
    walk.press("Enter")
    expect(page.get_by_role("button", name="Ändra Omar Haddad")).to_be_focused()
    expect(row).to_contain_text("Operatör, Utredare")


def catalogues_kept(walk: Walk) -> None:
    """A line with a fault that is shown where it is, saved, and taken back; a figure of a profile."""
    page = walk.page
    walk.press("g", "k")
    walk.tab_to("Linjer", "link")
    walk.press("Enter")
    walk.tab_to("Lägg till linje")
    walk.press("Enter")
    walk.write("PKC 114 14")
    walk.press("Tab")
    walk.write("Contact centre")
    walk.press("Tab")
    walk.write("114 14")
    walk.tab_to("Linjeprofil", "combobox")
    page.keyboard.type("Anm")
    walk.tab_to("Granska ändringarna")
    walk.press("Enter")
    expect(page.get_by_label("Nummer")).to_be_focused()
    walk.press("Control+a")
    walk.write("11414")
    walk.tab_to("Granska ändringarna")
    walk.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Varför ändras den?")).to_be_focused()
    walk.write("Ny linje")
    walk.press("Enter")
    expect(page.get_by_role("row", name="Version 1")).to_contain_text("Ny linje")
    walk.tab_to("Återställ originalet")
    walk.press("Enter")
    walk.tab_to("Varför ändras den?")
    walk.write("Den behövs inte")
    walk.press("Enter")
    expect(page.get_by_role("row", name="Version 2")).to_contain_text("Den behövs inte")
    walk.press("g", "k")
    walk.tab_to("Linjeprofiler", "link")
    walk.press("Enter")
    walk.tab_to("G722", "checkbox")
    walk.press("Space")
    walk.tab_to("Granska ändringarna")
    walk.press("Enter")
    walk.write("Ny rutin")
    walk.press("Enter")
    expect(page.get_by_role("row", name="Version 1")).to_contain_text("Ny rutin")


def kept_watch(walk: Walk, looks: Looks) -> None:
    """The log, what is wrong, the models, and what would go tonight."""
    page = walk.page
    walk.press("g", "l")
    expect(page.get_by_text("Loggen är hel")).to_be_visible()
    expect(page.get_by_role("row", name="Skapade kontot")).to_contain_text("noor: Kvalitetsgranskare")
    walk.tab_to("Vad", "combobox")
    while (
        page.get_by_role("combobox", name="Vad").locator("option:checked").inner_text()
        != "Ändrade en katalog"
    ):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("row", name="Ändrade en katalog Linjer")).to_have_count(2)
    expect(page.get_by_role("row", name="Skapade kontot")).to_have_count(0)
    walk.tab_to("Hämta som CSV", "link")
    with page.expect_download():
        walk.press("Enter")
    walk.press("g", "d")
    expect(page.get_by_text("En del av tjänsten är borta.")).to_be_visible()
    walk.tab_to("Modeller", "link")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Modeller", level=1)).to_be_focused()
    walk.tab_to("Använd för utskrifter: eget")
    walk.press("Enter")
    looks.at("model-asked")
    walk.tab_to("Använd", "button")
    walk.press("Enter")
    expect(page.get_by_role("row", name="eget")).to_contain_text("Utskrifter")
    looks.at("model-chosen")
    walk.tab_to("Gallring", "link")
    walk.press("Enter")
    expect(page.get_by_text("I natt skulle 1 samtal gallras.")).to_be_visible()
    walk.tab_to("Bevara Nödsamtal")
    walk.press("Enter")
    walk.tab_to("Skäl")
    looks.at("holding")
    walk.write("Åtal prövas")
    walk.tab_to("Bevara", "button")
    walk.press("Enter")
    expect(page.get_by_role("row", name="Åtal prövas")).to_contain_text("Gäller")


def test_an_administrators_day_by_keys_alone(site: Served, open_screen: OpenScreen) -> None:
    site.person("vera", Role.ADMIN)
    site.person("omar", Role.OPERATOR, shown="Omar Haddad")
    (site.settings.data_dir / "models").mkdir(exist_ok=True)
    model_directory(site.settings.data_dir / "models" / "eget")
    old = calls.BEGAN - timedelta(days=900)
    site.run(lambda conn: calls.finished(conn, at=old, profile=Profile.EMERGENCY))
    screen = open_screen(site, reduced_motion="reduce")
    walk = Walk(screen.page, SHOWN / screen.name)
    entered(walk, site, "vera")
    people_kept(walk)
    catalogues_kept(walk)
    looks = Looks(screen)
    kept_watch(walk, looks)
    walk.keep()
    looks.say()


def test_a_focus_that_nobody_sees_or_that_is_lost_is_found(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    page = screen.page
    walk = Walk(page, SHOWN / screen.name)
    walk.within_s = 1.0
    page.goto(site.url)
    expect(page.get_by_label("Användarnamn")).to_be_focused()
    page.evaluate("document.querySelector('input').style.outline = 'none'")
    with pytest.raises(AssertionError, match="the focus is at"):
        walk.press("Shift")
    page.evaluate("document.activeElement.blur()")
    with pytest.raises(AssertionError, match="the focus is lost"):
        walk.press("Shift")
    page.locator("input").first.focus()
    page.evaluate("addEventListener('keydown', (event) => event.key === 'Tab' && event.preventDefault())")
    with pytest.raises(AssertionError, match=re.escape("Tab does not leave")):
        walk.tab_to("Logga in")
