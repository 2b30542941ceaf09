"""What holds on every page: axe-core, contrast, 320 px, 200 % zoom, English, and no stored script."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from callsvc.shift import notes, wrap_up
from callsvc.store import Connection, call_notes
from callsvc.types import Leg, Profile, Role, TranscriptState
from tests.acceptance.screens.conftest import OpenScreen, Screen
from tests.acceptance.screens.looks import Looks
from tests.support import past_calls as calls
from tests.support.web import PASSWORD, Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

ALL = (Role.ADMIN, Role.INVESTIGATOR, Role.QA, Role.OPERATOR)


def fill(site: Served) -> str:
    """Something of everything that a page can show; the id of a call whose text waits for a model."""
    now = site.clock.utc_now()

    async def some(conn: Any) -> str:
        await calls.live(conn, at=now - timedelta(minutes=3))
        await calls.live(conn, at=now, recording=False, degraded="suppressor")
        await calls.finished(conn, at=now, strokes=0, profile=Profile.ANONYMOUS)
        waits = await calls.finished(conn, at=now, degraded=True, profile=Profile.INTERVIEW)
        await calls.waiting(conn, waits, TranscriptState.WAITING_MODEL)
        return str(waits)

    return site.run(some)


def states(screen: Screen, call: str, waits: str) -> Looks:
    """Every page in every state that differs, with what axe-core finds in each."""
    page = screen.page
    looks = Looks(screen)
    look = looks.at

    page.goto(screen.site.url)
    expect(page.get_by_role("heading", name="Logga in")).to_be_visible()
    look("signin")
    screen.enter("anna", "fel lösenord")
    expect(page.get_by_role("alert")).to_be_visible()
    look("signin-wrong")
    screen.enter("anna")
    expect(page.get_by_text("Spelar in")).to_be_visible()
    look("calls")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look("help")
    screen.go(f"/samtal/{call}")
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("call-closed")
    screen.open_call(call)
    expect(page.get_by_role("button", name="dörren", exact=True)).to_be_visible()
    expect(page.get_by_label("Rått från mikrofonen")).to_be_attached()
    look("call-open")
    screen.go(f"/samtal/{waits}")
    page.get_by_label("Utredning").check()
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_text("Väntar på modell")).to_be_visible()
    look("call-waits")
    for path, words in (
        ("/anvandare", "Anna Ström"),
        ("/atkomstlogg", "Loggen är hel"),
        ("/drift", "Kontrollerat"),
        ("/drift/gallring", "Inget ärende är angivet"),
        ("/drift/modeller", "Siffrorna gäller"),
        ("/kataloger", "Linjeprofiler"),
        ("/kataloger/bases", "Originalet"),
        ("/samtal", "Du är inte tillgänglig"),
        ("/arenden", "Inget samtal har skrivits"),
    ):
        screen.go(path)
        expect(page.get_by_text(words).last).to_be_visible()
        look(path.strip("/").replace("/", "-"))
    screen.go("/anvandare")
    page.get_by_role("button", name="Ny användare").click()
    look("new-user")
    screen.go("/losenord")
    page.get_by_role("button", name="Anslut en autentiserare").click()
    expect(page.get_by_label("Koden som appen visar")).to_be_visible()
    look("account")
    screen.go("/no/such/page")
    look("missing")
    return looks


def test_every_page_and_state_is_accessible(site: Served, call: str, open_screen: OpenScreen) -> None:
    waits = fill(site)
    site.person("anna", *ALL, shown="Anna Ström")
    screen = open_screen(site, reduced_motion="reduce")
    states(screen, call, waits).say()


def test_axe_finds_what_is_wrong(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.page.goto(site.url)
    expect(screen.page.get_by_label("Lösenord")).to_be_visible()
    screen.page.evaluate("document.querySelector('label').remove()")
    assert any("label" in fault for fault in screen.faults())


def test_at_twice_the_size_nothing_is_lost(site: Served, call: str, open_screen: OpenScreen) -> None:
    screen = open_screen(site, viewport={"width": 640, "height": 430}, device_scale_factor=2)
    screen.sign_in("birgitta", Role.INVESTIGATOR)
    screen.open_call(call)
    expect(screen.page.get_by_role("button", name="dörren", exact=True)).to_be_visible()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 640
    screen.page.get_by_role("button", name="Meny").click()
    expect(screen.page.get_by_role("link", name="Samtalslista", exact=True)).to_be_visible()


def test_single_letters_can_be_turned_off(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.sign_in("vera", Role.ADMIN)
    page = screen.page
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Drift", level=1)).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("Använd tangenterna ovan").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="Drift", level=1)).to_be_visible()


# What the law and the house say stays in Swedish, and is marked so.
IN_ENGLISH = """() => {
    const page = document.body.cloneNode(true);
    page.querySelectorAll("[lang=sv], script").forEach((one) => one.remove());
    return page.textContent;
}"""


def test_in_english_every_page_is_in_english(site: Served, call: str, open_screen: OpenScreen) -> None:
    fill(site)
    site.person("anna", *ALL, shown="Anna Strom")
    screen = open_screen(site)
    page = screen.page
    page.goto(site.url)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_label("User name").fill("anna")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The user name or the password is wrong.")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Calls", level=1)).to_be_visible()
    for path in (
        "/",
        f"/samtal/{call}",
        "/anvandare",
        "/atkomstlogg",
        "/drift",
        "/drift/gallring",
        "/drift/modeller",
        "/kataloger",
        "/losenord",
        "/samtal",
        "/arenden",
        "/no/such",
    ):
        screen.go(path)
        expect(page.get_by_role("navigation").first).to_be_visible()
        if path == "/drift/gallring":
            expect(page.locator(".keep-rules")).to_be_visible()
        seen = page.evaluate(IN_ENGLISH)
        assert not set("åäöÅÄÖ") & set(seen), (path, seen)
    screen.keep()


# The colour of text by its token: on paper the page itself is black on white.
INK = """() => {
  const one = document.body.appendChild(document.createElement("i"));
  one.style.color = "var(--text)";
  const seen = getComputedStyle(one).color;
  one.remove();
  return seen;
}"""


def test_the_chosen_colours_hold_and_do_not_flash(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site, color_scheme="light")
    screen.sign_in("omar", Role.QA)
    page = screen.page
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light, ink = page.evaluate(ground), page.evaluate(INK)
    page.get_by_role("button", name="Systemets färger").click()
    expect(page.get_by_role("button", name="Mörkt")).to_be_visible()
    dark = page.evaluate(ground)
    assert dark != light
    assert page.evaluate(INK) != ink
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ window.first = {ground}; }})")
    page.reload()
    assert page.evaluate("window.first") == dark
    page.emulate_media(media="print")
    assert page.evaluate(INK) == ink  # paper is light, whatever was chosen
    page.emulate_media(media="screen", color_scheme="dark")
    page.get_by_role("button", name="Mörkt").click()
    expect(page.get_by_role("button", name="Ljust")).to_be_visible()
    assert page.evaluate(ground) == light


SCRIPT = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'


def test_script_that_was_stored_stays_text(site: Served, open_screen: OpenScreen) -> None:
    call = site.run(calls.finished)
    site.run(lambda conn: calls.transcribed(conn, call, said=[(Leg.CALLER, SCRIPT)]))
    eve = site.person("eve", *ALL, shown=SCRIPT).id

    async def written(conn: Connection) -> None:
        at = calls.BEGAN
        await notes.save(conn, call, eve, [notes.Line(0, SCRIPT)], revision=0, at=at)
        await call_notes.add(conn, call, "marker", 1000, {"marker": SCRIPT}, at=at)
        await wrap_up.save(
            conn, call, eve, case="K1-26", labels=["threat"], told=[], hand_over=SCRIPT, state="done", at=at
        )

    site.run(written)
    screen = open_screen(site)
    page = screen.page
    page.goto(site.url)
    screen.enter("eve")
    expect(page.get_by_text(SCRIPT).first).to_be_visible()
    screen.go(f"/samtal/{call}")
    page.get_by_label("Ärendenummer eller egna ord").fill(SCRIPT)
    page.get_by_role("button", name="Öppna samtalet").click()
    beside = page.get_by_role("region", name="Anteckningar från samtalet")
    expect(beside.get_by_text("onerror")).to_have_count(
        3
    )  # who wrote it, the note, what the next one needs to know
    screen.go("/arenden/K1-26")
    expect(page.get_by_text("onerror").last).to_be_visible()
    for path in ("/anvandare", "/atkomstlogg"):
        screen.go(path)
        expect(page.get_by_text(SCRIPT).last).to_be_visible()
    assert "owned" not in page.title()
    assert page.locator("main img, main script").count() == 0
