"""The reviewer's day: a call is taken, read with sound off, heard before and after, answered by number keys, given back or done."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from callsvc.review import sampling
from callsvc.review.scorecard import scorecard
from callsvc.store import Connection
from callsvc.types import Role
from tests.acceptance.screens.conftest import OpenScreen, Screen
from tests.support import heard_again
from tests.support import past_calls as calls
from tests.support.recordings import Made
from tests.support.web import Served, serving

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

# Measures at the loudspeaker how loud it was at the loudest.
EAR = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.ear ??= new AnalyserNode(this.context, { fftSize: 2048, smoothingTimeConstant: 0 });
    connect.call(this, window.ear);
  }
  return connect.call(this, to, ...rest);
};
window.loudest = -120;
setInterval(() => {
  if (!window.ear) return;
  const wave = new Float32Array(window.ear.fftSize);
  window.ear.getFloatTimeDomainData(wave);
  const power = wave.reduce((sum, x) => sum + x * x, 0) / wave.length;
  window.loudest = Math.max(window.loudest, 10 * Math.log10(power + 1e-12));
}, 20);
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return heard_again.record(tmp_path_factory.mktemp("heard"))


@pytest.fixture
def review(site: Served, made: Made) -> str:
    """The recorded call of Olle's on the worklist, for one reviewer."""
    olle = site.person("olle", Role.OPERATOR)

    async def drawn(conn: Connection) -> UUID:
        call = await calls.recorded(conn, made)
        await calls.transcribed(conn, call)
        await conn.execute("update calls set answered_by = %s where id = %s", [olle.id, call])
        return await sampling.enter(conn, call, "random", 1, at=calls.BEGAN)

    return str(site.run(drawn))


def take(screen: Screen) -> None:
    """From the worklist to the opened call."""
    page = screen.page
    screen.go("/granskning")
    page.get_by_role("button", name="Ta granskningen").click()
    page.get_by_label("Kvalitetsgranskning").check()
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_role("heading", name="Före och efter")).to_be_visible()


def position(page: Page) -> float:
    return float(page.get_by_role("slider", name="Plats i samtalet").get_attribute("aria-valuenow") or 0)


def loudest(page: Page) -> float:
    """Of what is heard until the shout is over."""
    page.evaluate("window.loudest = -120")
    for _ in range(1200):
        if position(page) >= heard_again.SHOUT_S[1]:
            return float(page.evaluate("window.loudest"))
        page.wait_for_timeout(50)
    raise AssertionError(f"the place in the call stayed at {position(page)}")


def test_a_reviewers_day_from_the_worklist_to_the_operators_reply(
    site: Served, review: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, viewport={"width": 1440, "height": 900})
    page = screen.page
    screen.sign_in("kim", Role.QA)
    take(screen)
    # As text, with sound off: what was said is there, and a word that is chosen is found and not heard.
    expect(page.get_by_text("Ljudet är av.")).to_be_visible()
    page.get_by_role("button", name="dörren", exact=True).click()
    expect(page.get_by_text("Slå på det med knappen ovan")).to_be_visible()
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()
    # What may be hard to hear is marked ahead, as a list too.
    page.get_by_text("Visa som lista").click()
    loud = page.locator(".ahead-list li").filter(has_text="Starkt: Uppringare")
    expect(loud).to_have_count(1)
    loud.get_by_role("button").click()
    assert 17 <= position(page) <= 21
    # Each stroke of this window, at the microphone and at the caller.
    page.get_by_role("slider", name="Plats i samtalet").focus()
    page.keyboard.press("Home")
    strokes = page.get_by_role("region", name="Tangentslag i den här delen")
    expect(strokes.get_by_text("Hördes inte").first).to_be_visible()
    page.get_by_role("heading", name="Före och efter").click()
    before = page.get_by_role("button", name=re.compile("Vid mikrofonen"))
    page.keyboard.press("b")
    expect(before).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("b")
    expect(before).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    expect(page.locator(".panel-picture img").first).to_have_js_property("complete", True)
    assert page.evaluate(
        "[...document.querySelectorAll('.panel-picture img')].every((i) => i.naturalWidth > 0)"
    )
    # The whole card by number keys; the first answer is pinned to its place.
    count = len(scorecard().question)
    page.keyboard.press("1")
    page.keyboard.press("q")
    page.keyboard.press("m")
    expect(page.locator(".pinned .link").first).to_have_text(re.compile("^Vid "))
    page.keyboard.press("w")
    for _ in range(count - 1):
        page.keyboard.press("2")
    expect(page.get_by_text("Alla frågor har svar")).to_be_visible()
    screen.keep("answered")
    page.get_by_label("Till operatören").fill("Lugnt och tydligt.")
    page.get_by_role("button", name="Avsluta granskningen").click()
    expect(page.get_by_text("Granskningen är klar")).to_be_visible()
    screen.keep("done")
    # The operator reads it and replies, and no name of the reviewer's is on the page.
    other = open_screen(site)
    other.page.goto(site.url)
    other.enter("olle")
    expect(other.page.get_by_role("link", name="Återkoppling")).to_be_visible()
    other.go("/aterkoppling")
    other.page.locator("summary").first.click()
    expect(other.page.get_by_text("Lugnt och tydligt.")).to_be_visible()
    expect(other.page.locator("main").get_by_text("Kim")).to_have_count(0)
    other.page.get_by_label("Ditt svar").fill("Tack, jag var stressad.")
    other.page.get_by_role("button", name="Spara svaret").click()
    expect(other.page.get_by_text("Svaret är sparat.")).to_be_visible()
    other.keep("told")
    page.reload()
    expect(page.get_by_text("Tack, jag var stressad.")).to_be_visible()


def test_a_shout_is_softened_and_a_colleague_goes_on_where_one_stopped(
    site: Served, review: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    page = screen.page
    page.add_init_script(EAR)
    screen.sign_in("kim", Role.QA)
    take(screen)
    page.get_by_role("button", name="Slå på ljudet").click()
    page.get_by_text("Visa som lista").click()
    shout = page.locator(".ahead-list li").filter(has_text="Starkt: Uppringare").get_by_role("button")
    levels = []
    for name in ("plain", "softened"):
        shout.click()
        page.get_by_role("button", name="Spela", exact=True).click()
        expect(page.get_by_role("button", name="Pausa", exact=True)).to_be_visible()
        levels.append(loudest(page))
        page.get_by_role("button", name="Pausa", exact=True).click()
        if name == "plain":
            page.get_by_role("button", name="Skonsam lyssning").click()
    assert levels[0] - levels[1] >= 12, levels
    # What was listened is on this page and in this browser alone; who does not want it counted has nothing counted.
    assert page.evaluate("Object.keys(localStorage).some((key) => key.startsWith('callsvc.listened.'))")
    page.get_by_text("Så vill jag lyssna").click()
    page.get_by_label("Räkna min lyssningstid").uncheck()
    assert not page.evaluate("Object.keys(localStorage).some((key) => key.startsWith('callsvc.listened.'))")
    shout.click()
    page.get_by_role("button", name="Lämna tillbaka").click()
    page.get_by_label("Ett ord till kollegan").fill("Jag behöver en paus.")
    page.get_by_role("button", name="Lämna tillbaka granskningen").click()
    expect(page.get_by_role("heading", name="Granskning", exact=True)).to_be_visible()
    colleague = open_screen(site)
    colleague.sign_in("lo", Role.QA)
    colleague.go("/granskning")
    expect(colleague.page.get_by_text("Jag behöver en paus.")).to_be_visible()
    take(colleague)
    expect(colleague.page.get_by_text("En kollega kom till 00:1")).to_be_visible()
    assert 17 <= position(colleague.page) <= 21


def test_a_call_whose_microphone_was_not_kept_says_so_and_what_would_keep_it(
    conninfo: str, tmp_path: Path, quick_passwords: None, open_screen: OpenScreen
) -> None:
    made = calls.record(tmp_path / "made", seconds=8, lost=(), tracks=calls.TRACKS[::2])
    with serving(conninfo, tmp_path / "data", made=made) as site:

        async def drawn(conn: Connection) -> None:
            await sampling.enter(conn, await calls.recorded(conn, made), "random", 1, at=calls.BEGAN)

        site.run(drawn)
        screen = open_screen(site)
        screen.sign_in("kim", Role.QA)
        take(screen)
        expect(screen.page.get_by_text("Ljudet vid mikrofonen är inte sparat")).to_be_visible()
        expect(screen.page.get_by_text('[media] keep_raw = "demo"')).to_be_visible()
        expect(screen.page.locator(".panel-picture img")).to_have_count(1)
        expect(screen.page.get_by_text("tangentslag i den här delen")).to_have_count(0)
        screen.keep()


@pytest.mark.parametrize("shown", ["dark", "narrow and light"])
def test_the_pages_of_review_are_without_fault_to_axe(
    site: Served, review: str, open_screen: OpenScreen, shown: str
) -> None:
    narrow = {"viewport": {"width": 320, "height": 640}} if shown != "dark" else {}
    screen = open_screen(site, color_scheme="dark" if shown == "dark" else "light", **narrow)
    page = screen.page
    screen.sign_in("kim", Role.QA)
    found = {}

    def look(name: str) -> None:
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults = screen.faults(contrast_enhanced=shown == "dark")
        found[name] = [*faults, f"{wider} px wider than the window"] if wider > 0 else faults
        screen.keep(name)

    screen.go("/granskning")
    expect(page.get_by_role("button", name="Ta granskningen")).to_be_visible()
    look("list")
    take(screen)
    expect(page.get_by_role("region", name="Tangentslag i den här delen")).to_be_visible()
    expect(page.locator(".ahead-lead")).to_be_visible()
    look("open")
    page.get_by_role("button", name="Lämna tillbaka").click()
    look("giving-back")
    page.keyboard.press("Escape")
    screen.go("/granskning/utveckling")
    expect(page.get_by_text("Inget i stickprovet är granskat ännu.")).to_be_visible()
    look("figures")
    assert {name: faults for name, faults in found.items() if faults} == {}
