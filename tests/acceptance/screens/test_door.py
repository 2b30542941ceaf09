"""The door: who comes in, who does not, and where one is after coming back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from callsvc.access import totp
from callsvc.clock import FixedClock
from callsvc.types import Role
from tests.acceptance.screens.conftest import OpenScreen
from tests.acceptance.screens.looks import Looks
from tests.callsvc.web.test_own_account import code
from tests.support.web import PASSWORD, Served, settings_for

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]


def test_a_wrong_password_is_told_and_the_right_one_opens(site: Served, open_screen: OpenScreen) -> None:
    site.person("birgitta", Role.INVESTIGATOR, shown="Birgitta Öhman")
    screen = open_screen(site)
    screen.page.goto(site.url)
    screen.enter("birgitta", "fel lösenord")
    expect(screen.page.get_by_role("alert")).to_contain_text("stämmer inte")
    expect(screen.page.get_by_label("Lösenord", exact=True)).to_have_value("")
    screen.keep("wrong")
    screen.enter("Birgitta")
    expect(screen.page.get_by_role("heading", name="Samtalslista", level=1)).to_be_visible()
    expect(screen.page.get_by_text("Birgitta Öhman")).to_be_visible()
    # Only what the role allows is there to be chosen.
    expect(screen.page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Samtalslista", "Ärenden"]
    )


def test_a_one_time_password_leads_to_a_password_of_ones_own(site: Served, open_screen: OpenScreen) -> None:
    site.person("noor", Role.QA, must_change=True)
    screen = open_screen(site)
    page = screen.page
    page.goto(site.url)
    screen.enter("noor")
    expect(page.get_by_role("heading", name="Välj ett eget lösenord")).to_be_visible()
    page.get_by_label("Engångslösenordet").fill(PASSWORD)
    page.get_by_label("Nytt lösenord", exact=True).fill("sju blå valar")
    page.get_by_label("Nytt lösenord, en gång till").fill("något annat")
    page.get_by_role("button", name="Byt lösenord").click()
    expect(page.get_by_text("De två är inte lika.")).to_be_visible()
    screen.keep("differs")
    page.get_by_label("Nytt lösenord, en gång till").fill("sju blå valar")
    page.get_by_role("button", name="Byt lösenord").click()
    expect(page.get_by_role("heading", name="Samtalslista", level=1)).to_be_visible()


def test_who_was_signed_out_comes_back_to_the_same_page(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    screen.sign_in("birgitta", Role.INVESTIGATOR)
    screen.go(f"/samtal/{call}")

    async def end(conn) -> None:  # type: ignore[no-untyped-def]
        await conn.execute("delete from sessions")

    screen.page.get_by_label("Utredning").check()
    site.run(end)
    with contextlib.suppress(Error):  # the page may have noticed by itself
        screen.page.get_by_role("button", name="Öppna samtalet").click(timeout=2000)
    expect(screen.page.get_by_text("Din inloggning har gått ut.")).to_be_visible()
    looks = Looks(screen)
    looks.at("expired")
    looks.say()
    screen.enter("birgitta")
    expect(screen.page.get_by_role("heading", name="Bevis på tystnad")).to_be_visible()
    assert screen.page.url.endswith(call)


def test_a_page_that_one_may_not_see_is_not_there(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.sign_in("omar", Role.QA)
    for path in ("/anvandare", "/atkomstlogg", "/drift", "/no/such"):
        screen.go(path)
        expect(screen.page.get_by_role("heading", name="Här finns inget")).to_be_visible()


@pytest.fixture
def strict(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[Served]:
    """A site whose reviewers need more than a password; its clock stands still until the test moves it."""
    settings = settings_for(tmp_path / "data")
    web = settings.web.model_copy(update={"lock_after_min": 0.0, "second_factor_roles": (Role.QA,)})
    served = Served(settings.model_copy(update={"web": web}), conninfo, FixedClock())
    try:
        yield served
    finally:
        served.close()


def test_whose_role_needs_more_than_a_password_connects_an_authenticator_and_is_asked_for_its_code(
    strict: Served, open_screen: OpenScreen
) -> None:
    strict.person("vera", Role.QA)
    screen = open_screen(strict)
    page, looks = screen.page, Looks(screen)
    page.goto(strict.url)
    screen.enter("vera")
    expect(page.get_by_text("Din roll kräver mer än ett lösenord.")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    looks.at("gate")
    page.goto(f"{strict.url}/granskning")
    expect(page.get_by_text("Din roll kräver mer än ett lösenord.")).to_be_visible()
    page.get_by_role("button", name="Anslut en autentiserare").click()
    field = page.get_by_label("Koden som appen visar")
    expect(field).to_be_focused()
    secret = re.sub(r"\s", "", page.locator(".one-time code").inner_text())
    field.fill("000000")
    page.get_by_role("button", name="Anslut", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    looks.at("gate-wrong-code")
    field.fill(code(strict, secret))
    page.get_by_role("button", name="Anslut", exact=True).click()
    expect(page.get_by_role("heading", name="Granskning", level=1)).to_be_visible()
    page.get_by_role("button", name="Logga ut").click()
    screen.enter("vera")
    asked = page.get_by_label("Kod från autentiseraren")
    expect(asked).to_be_focused()
    looks.at("code")
    asked.fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Lösenord", exact=True)).to_have_value(
        PASSWORD
    )  # what was right is not asked again
    looks.at("wrong-code")
    assert isinstance(strict.clock, FixedClock)
    strict.clock.advance(totp.STEP_S)
    asked.fill(code(strict, secret))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Granskning", level=1)).to_be_visible()
    looks.say()
