"""The investigator's day: find a case, see what has already been told, hear it, correct it."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from callsvc.jobs import Work
from callsvc.shift import notes, wrap_up
from callsvc.store import Connection, call_notes
from callsvc.types import Role
from callsvc.worker import bundling
from tests.acceptance.screens.conftest import OpenScreen, Screen
from tests.acceptance.screens.looks import Looks
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

NUMBER = "0201-K1234-26"


def written_up(site: Served, call: UUID, said: str) -> None:
    """The call as its operator left it: a marker, a note, a tick, and the case that it belongs to."""
    operator = site.person(f"operator-{call.hex[:12]}", Role.OPERATOR, shown="Olle Berg").id
    at = calls.BEGAN

    async def write(conn: Connection) -> None:
        await call_notes.add(conn, call, "marker", 16_000, {"marker": "threat"}, at=at)
        await notes.save(conn, call, operator, [notes.Line(15_200, said)], revision=0, at=at)
        await notes.tick(
            conn, call, operator, checklist="injured", item="safe", ticked=True, at_ms=20_400, at=at
        )
        await wrap_up.save(
            conn, call, operator,
            case=NUMBER, labels=["threat"], told=["support"], hand_over="Ring henne före tolv.",
            state="done", at=at,
        )  # fmt: skip
        await conn.execute("update calls set answered_by = %s where id = %s", [operator, call])

    site.run(write)


def what_may_be_personal_is_chosen_whole(screen: Screen) -> None:
    """Whoever takes words out of a copy is shown what to think of; nothing is chosen before they do."""
    page = screen.page
    page.get_by_role("button", name="Lämna ut ur samtalet").click()
    page.get_by_role("button", name="Gör en kopia utan vissa ord").click()
    telephone = page.get_by_role("button", name="Telefon 0701234567")
    expect(telephone).to_have_attribute("aria-pressed", "false")
    telephone.click()
    # A person's words have the machine's times; what only lies between them goes along.
    expect(page.locator(".goes-now [role=status]")).to_contain_text(re.compile(r"^\d\d ord och"))
    expect(telephone).to_have_attribute("aria-pressed", "true")
    screen.keep("marked")
    assert screen.faults() == []
    telephone.click()
    expect(page.get_by_text("Inget är valt.")).to_be_visible()
    page.get_by_role("button", name="Avbryt").click()
    expect(telephone).to_have_count(0)


def a_colleague_sees_it_takes_it_back_and_is_handed_the_call(
    site: Served, call: str, screen: Screen, other: Screen
) -> None:
    """Two at one call: what the one corrects or takes back the other has at once, with who and when."""
    page, there = screen.page, other.page
    other.sign_in("ingvar", Role.INVESTIGATOR)
    other.open_call(call)
    expect(there.get_by_role("button", name="moster,", exact=True)).to_be_visible()
    there.get_by_role("slider", name="Plats i samtalet").press("End")
    there.locator("h1").focus()
    there.keyboard.press("h")
    history = there.get_by_role("dialog")
    expect(history.get_by_role("listitem").first).to_contain_text("Inga")
    expect(history.get_by_role("listitem").last).to_contain_text("Jag är hos min syster.")
    other.keep("history")
    history.get_by_role("button", name="Ta tillbaka").click()
    expect(
        page.get_by_role("button", name="syster. (mindre säkert)")
    ).to_be_visible()  # where the other one sits
    expect(history.get_by_role("listitem").first).to_contain_text("Ingvar")
    there.keyboard.press("Escape")
    page.get_by_role("button", name="Lämna över").click()
    page.get_by_role("dialog").get_by_label("Lämna över till").select_option(label="Ingvar")
    page.get_by_role("dialog").get_by_role("textbox").fill("Fortsätt med dörren.")
    looks = Looks(screen)
    looks.at("handing-over")
    looks.say()
    page.get_by_role("dialog").get_by_role("button", name="Lämna över").click()
    expect(page.get_by_text("Överlämnat till Ingvar")).to_be_visible()
    there.get_by_role("link", name="Ärenden").click()
    handed = there.get_by_role("region", name="Överlämnat till dig")
    expect(handed).to_contain_text("Fortsätt med dörren.")
    other.keep("handed-over")
    handed.get_by_role("button", name="Öppna").click()
    expect(there.get_by_role("slider")).to_have_attribute("aria-valuetext", "00:24 av 00:30")


def test_what_was_told_once_is_found_heard_and_corrected(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    other = site.run(lambda conn: calls.finished(conn, at=calls.BEGAN + timedelta(days=3)))
    site.run(lambda conn: calls.transcribed(conn, other))
    written_up(site, UUID(call), "Slog på dörren.")
    written_up(site, other, "Ringde igen.")
    screen = open_screen(site, color_scheme="light", reduced_motion="reduce")
    page = screen.page
    screen.sign_in("inga", Role.INVESTIGATOR)
    page.get_by_role("link", name="Ärenden").click()
    page.get_by_label("Ärendenummer").fill("0201-k")
    expect(page.get_by_text("2 samtal")).to_be_visible()
    screen.keep("cases")
    page.get_by_label("Något som sades").fill("systern")
    page.get_by_role("button", name="Sök", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Välj ett skäl")
    page.get_by_label("Utredning").check()
    page.get_by_text("Fler villkor").click()
    page.get_by_label("Operatörens namn").fill("berg")
    page.get_by_role("button", name="Sök", exact=True).click()
    expect(page.locator(".found-call")).to_have_count(2)
    expect(page.locator(".found-call mark").first).to_have_text("syster.")
    screen.keep("found")
    assert screen.faults() == []
    page.get_by_role("button", name="Rensa sökningen").click()
    page.get_by_label("Ärendenummer").fill("0201-k")
    page.get_by_role("link", name=NUMBER).click()
    expect(page.get_by_role("link", name="00:16 Hot").first).to_be_visible()
    expect(page.get_by_text("Ring henne före tolv.")).to_have_count(0)
    screen.keep("closed")

    page.get_by_role("button", name="Öppna ärendets samtal").click()
    page.get_by_label("Ämne, till exempel").fill("syster")
    page.get_by_role("button", name="Sök", exact=True).click()
    expect(page.get_by_text("2 meningar.")).to_be_visible()
    expect(page.locator("mark").first).to_have_text("syster.")
    expect(page.get_by_text("Ring henne före tolv.").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Hot")).first.click()
    expect(page.get_by_role("list", name="Hot").get_by_role("link")).to_have_count(2)
    screen.keep("told")
    assert screen.faults() == []

    page.get_by_role("link", name="Spela från 00:25").first.click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "00:24 av 00:30")
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()  # and nothing sounds yet
    expect(page.get_by_text("Slog på dörren.")).to_be_visible()

    page.get_by_role("button", name="Rätta yttrandet vid 00:25").click()
    field = page.get_by_label("Texten som den ska vara")
    expect(field).to_be_focused()
    expect(page.get_by_text("Maskinen hörde: Ja. Jag är hos min syster.")).to_be_visible()
    field.fill(
        "Ja. Jag är hos min moster, trettiofem år, telefon noll sju noll ett två tre fyra fem sex sju."
    )
    screen.keep("correcting")
    assert screen.faults() == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="moster,", exact=True)).to_be_visible()
    expect(page.get_by_text("Rättad", exact=True)).to_be_visible()
    expect(page.get_by_title("Samma sak i siffror.")).to_have_text(["35"])
    what_may_be_personal_is_chosen_whole(screen)
    screen.keep("corrected")
    a_colleague_sees_it_takes_it_back_and_is_handed_the_call(site, call, screen, open_screen(site))


def words_are_chosen_by_drawing_by_keys_and_whole(screen: Screen) -> str:
    """Leaves "hos min syster." chosen; how many seconds are said to go with it."""
    page = screen.page
    goes = page.locator(".goes-now [role=status]")
    first, last = (
        page.get_by_role("button", name="Han", exact=True),
        page.get_by_role("button", name="du", exact=True).last,
    )
    expect(goes).to_have_text("Inget är valt.")
    # Drawn over from one utterance into the next; the sound goes on being off, and nothing is marked as text.
    last.hover()
    first.hover()
    page.mouse.down()
    page.get_by_role("button", name="skrek (osäkert)").hover(force=True)
    last.hover(force=True)
    page.mouse.up()
    expect(goes).to_contain_text("19 ord och")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="säkerhet")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("getSelection().toString()") == ""
    # Further, and back, by Shift and a click; one step of undoing takes back what one stretch chose.
    page.get_by_role("button", name="nu?").click(modifiers=["Shift"])
    expect(goes).to_contain_text("22 ord och")
    page.get_by_role("button", name="skrek (osäkert)").click(modifiers=["Shift"])
    expect(goes).to_contain_text("10 ord och")
    page.get_by_text("Visa vilka").click()
    screen.keep("drawn")
    page.keyboard.press("Control+z")
    expect(goes).to_have_text("Inget är valt.")
    page.get_by_role("button", name="Hela yttrandet 00:20").click()
    expect(goes).to_contain_text("5 ord och")
    page.get_by_role("button", name="Ångra valet").click()
    expect(goes).to_have_text("Inget är valt.")
    # By keys alone: word by word over the end of a line, a whole line, and back again.
    last.focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(goes).to_contain_text("4 ord och")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("button", name="Ja.", exact=True)).to_be_focused()
    expect(goes).to_contain_text("5 ord och")
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="hos", exact=True).focus()
    for _ in range(2):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("button", name="syster. (mindre säkert)")).to_be_focused()
    expect(goes).to_contain_text("3 ord och")
    assert screen.faults(contrast_enhanced=True) == []
    told = re.search(r"3 ord och ([\d,]+) sekunder", goes.inner_text())
    assert told
    return told[1]


async def only_disclosure(conn: Connection) -> str:
    """The one that was granted."""
    row = await (await conn.execute("select id from disclosures where granted")).fetchone()
    assert row is not None
    return str(row["id"])


def test_a_copy_without_chosen_words_is_handed_out_on_a_legal_basis(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, color_scheme="dark", reduced_motion="reduce")
    page = screen.page
    screen.sign_in("inga", Role.INVESTIGATOR)
    screen.open_call(call, "Begäran om utlämnande")
    page.get_by_role("button", name="Lämna ut ur samtalet").click()
    words = sum(len(text.split()) for _, text in calls.SAID)
    expect(page.get_by_text(f"Det här lämnar: 00:30 ljud och {words} ord.")).to_be_visible()
    # Words can be marked and copied as anywhere; nothing is played by that.
    page.get_by_role("button", name="Han", exact=True).hover()
    page.mouse.down()
    page.get_by_role("button", name="dörren", exact=True).hover(force=True)
    page.mouse.up()
    assert "stod utanför" in page.evaluate("getSelection().toString()")
    expect(page.locator(".care .notice")).to_have_count(0)
    page.get_by_role("button", name="Gör en kopia utan vissa ord").click()
    taken = words_are_chosen_by_drawing_by_keys_and_whole(screen)
    page.get_by_label("Kopians namn").fill("Utan vistelseort")
    page.get_by_label("Varför orden tas bort").fill("Skyddad plats")
    screen.keep("choosing")
    page.get_by_role("button", name="Gör kopian").click()
    expect(page.get_by_text(f"och {words - 3} ord. {taken} s är borttagna.")).to_be_visible()
    looks = Looks(screen)
    for who, answer in (("Grannen", "Avslå"), ("Socialtjänsten", "Lämna ut")):
        page.get_by_label("Nödvändigt för att myndigheten").check()
        page.get_by_label("Varför går arbetet inte att göra").fill("Skyddsbedömningen bygger på samtalet.")
        page.get_by_label("Mottagare").fill(who)
        page.get_by_label("Motivering").fill("Barn i hemmet.")
        page.get_by_role("button", name=answer, exact=True).click()
        if answer == "Avslå":
            expect(page.get_by_text("Avslag till Grannen")).to_be_visible()
            looks.at("refused")
    looks.say()
    expect(page.get_by_text("Utlämnat till Socialtjänsten")).to_be_visible()
    page.locator(".leaving summary").click()
    expect(page.locator(".leaving")).to_contain_text("Tystas i ljudet:")
    page.get_by_role("button", name="Gör signerat paket").click()
    expect(page.get_by_text("Paketet görs")).to_be_visible()
    made = site.run(only_disclosure)
    site.wait(
        bundling.bundle_disclosure(Work(site.settings, site.site.database, site.clock, 1, 1), disclosure=made)
    )
    fetch = page.get_by_role("link", name="Hämta paketet")
    expect(fetch).to_be_visible()
    assert screen.faults() == []
    screen.keep()
    with page.expect_download() as packed:
        fetch.click()
    with ZipFile(packed.value.path()) as archive:
        assert any(name.endswith("paket.json") for name in archive.namelist())
    with page.expect_download() as told:
        page.get_by_role("link", name="TXT").click()
    text = told.value.path().read_text()
    assert "Ja. Jag är" in text
    assert not re.search("hos|syster", text)


def test_by_keys_one_goes_by_word_to_what_is_unsure_and_hears_a_stretch_again(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    page = screen.page
    screen.sign_in("inga", Role.INVESTIGATOR)
    screen.open_call(call)
    slider = page.get_by_role("slider")
    expect(page.get_by_role("button", name="dörren", exact=True)).to_be_visible()
    page.keyboard.press("u")  # the first word that the machine was unsure of
    expect(page.locator(".word.now")).to_have_text("skrek (osäkert)")
    page.keyboard.press(".")
    expect(page.locator(".word.now")).to_have_text("att")
    page.keyboard.press(",")
    stops = page.get_by_role("button", name="Sluta upprepa")
    page.keyboard.press("r")
    expect(stops).to_be_visible()
    page.keyboard.press("r")
    expect(stops).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(slider).to_have_attribute("aria-valuetext", "00:10 av 00:30")


def test_a_case_is_not_there_for_who_may_not_know_of_it(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    written_up(site, UUID(call), "Slog på dörren.")
    screen = open_screen(site)
    screen.sign_in("vera", Role.QA)
    expect(screen.page.get_by_role("link", name="Ärenden")).to_have_count(0)
    screen.go(f"/arenden/{NUMBER}")
    expect(screen.page.get_by_role("heading", name="Här finns inget")).to_be_visible()
