"""The reviewer's day by keyboard: a call is taken, read with sound off, heard before and after, answered, given back, told."""

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
from tests.acceptance.screens.conftest import SHOWN, OpenScreen, Screen
from tests.acceptance.screens.looks import Looks
from tests.acceptance.screens.reviewers import (
    SEEN,
    answered_otherwise,
    drawn,
    months_of_reviews,
    signed_in_by_keys,
    taken_by_keys,
)
from tests.support import heard_again
from tests.support import past_calls as calls
from tests.support.recordings import Made
from tests.support.walk import Walk
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
    olle = site.person("olle", Role.OPERATOR).id
    return str(site.run(lambda conn: drawn(conn, made, olle)))


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


def test_a_reviewers_day_by_keyboard_alone_from_the_empty_worklist_to_the_operators_reply(
    site: Served, made: Made, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page, walk, looks = screen.page, Walk(screen.page, SHOWN / "walk-reviewer"), Looks(screen)
    kim = signed_in_by_keys(screen, walk, "kim")
    expect(page.get_by_text("Inget samtal väntar på granskning.")).to_be_visible()
    looks.at("worklist-empty")
    olle = site.person("olle", Role.OPERATOR).id
    review = str(site.run(lambda conn: drawn(conn, made, olle)))
    page.reload()
    expect(page.get_by_role("button", name="Ta granskningen")).to_be_visible()
    looks.at("worklist")
    taken_by_keys(walk, looks)
    # As text, with sound off: what was said is there, and what is chosen is found and not heard.
    expect(page.get_by_text("Ljudet är av.")).to_be_visible()
    walk.press("k")
    expect(page.get_by_text("Slå på det med knappen ovan")).to_be_visible()
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()
    # What may be hard to hear is marked ahead, as a list too.
    walk.tab_to("Visa som lista", "DisclosureTriangle", back=True)
    walk.press("Enter")
    loud = page.locator(".ahead-list li").filter(has_text="Starkt: Uppringare")
    expect(loud).to_have_count(1)
    walk.tab_to("00:20", "button")
    walk.press("Enter")
    assert 17 <= position(page) <= 21
    # Each stroke of this window, at the microphone and at the caller.
    walk.tab_to("Plats i samtalet", "slider")
    walk.press("Home")
    strokes = page.get_by_role("region", name="Tangentslag i den här delen")
    expect(strokes.get_by_text("Hördes inte").first).to_be_visible()
    walk.tab_to("00:04,7", "button")
    walk.press("ArrowDown", "Enter")
    assert position(page) > 4.7
    before = page.get_by_role("button", name=re.compile("Vid mikrofonen"))
    walk.press("b")
    expect(before).to_have_attribute("aria-pressed", "true")
    walk.press("b")
    expect(before).to_have_attribute("aria-pressed", "false")
    walk.press("n")
    expect(page.locator(".panel-picture img").first).to_have_js_property("complete", True)
    assert page.evaluate(
        "[...document.querySelectorAll('.panel-picture img')].every((i) => i.naturalWidth > 0)"
    )
    what_was_kept_beside_the_sound(page)
    # The whole card by number keys; the first answer is pinned to its place.
    count = len(scorecard().question)
    walk.press("1", "q", "m")
    expect(page.locator(".pinned .link").first).to_have_text(re.compile("^Vid "))
    looks.at("replay-card-half-filled")
    walk.press("w", *["2"] * (count - 1))
    expect(page.get_by_text("Alla frågor har svar")).to_be_visible()
    walk.tab_to("Lämna tillbaka", "button")
    walk.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    looks.at("giving-back")
    walk.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    walk.tab_to("Till operatören", "textbox", back=True)
    walk.write("Lugnt och tydligt.")
    walk.tab_to("Avsluta granskningen", "button")
    walk.press("Enter")
    expect(page.get_by_text("Granskningen är klar")).to_be_visible()
    walk.then()
    # A second reviewer answers unseen, and the two are compared.
    walk.tab_to("Be om en andra granskare", "button")
    walk.press("Enter")
    expect(page.get_by_text("Den andra granskaren är inte klar ännu.")).to_be_visible()
    walk.then()
    with site.signed_in("lo", Role.QA) as lo:
        answered_otherwise(lo, review)
    replied(site, open_screen)
    page.reload()
    expect(page.get_by_text("Tack, jag var stressad.")).to_be_visible()
    expect(page.get_by_text(f"Ni svarade lika på 1 av {count} frågor.")).to_be_visible()
    expect(page.locator(".answers .tag")).to_have_count(count - 1)
    looks.at("calibration")
    figures_tell_of_lines_and_of_nobody(walk, looks, site, kim, olle)
    walk.keep()
    looks.say()


def what_was_kept_beside_the_sound(page: Page) -> None:
    """What happened, in words; the captions as the operator saw them; how the operator's browser found the line."""
    happened = page.get_by_role("region", name="Händelser")
    for words in (
        "Maskering började: Privat",
        "Markering: Hot",
        "Den som ringer hör: Stanna kvar i telefonen, Svenska",
        "Operatören är borta, och den som ringer hör: Stanna kvar i telefonen, Arabiska",
        "Uppringare tryckte på en siffertangent",
        "Operatör anslöt: Webbläsare (WebRTC)",
    ):
        expect(happened).to_contain_text(words)
    expect(page.get_by_role("region", name="Textning som operatören såg den")).to_contain_text(SEEN)
    line = page.get_by_role("region", name="Linjen över tid")
    expect(line).to_contain_text(
        re.compile(r"Tappat på väg till operatören oftast 0,2 %, som mest 8 % före\s*00:20")
    )
    expect(line).to_contain_text(re.compile(r"Fram och åter oftast 31 ms, som mest 310 ms före\s*00:20"))
    line.get_by_text("Visa som tabell").click()
    expect(line.get_by_role("row")).to_have_count(4)
    expect(line.get_by_role("row").last).to_contain_text("20 ms")


def replied(site: Served, open_screen: OpenScreen) -> None:
    """The operator reads it and replies, and no name of the reviewer's is on the page."""
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


def figures_tell_of_lines_and_of_nobody(
    walk: Walk, looks: Looks, site: Served, kim: UUID, olle: UUID
) -> None:
    """Of ten calls of two operators there is one figure, the line's; nobody stands there, and nobody before another."""
    page = walk.page
    page.keyboard.press("g")  # the second of the two is not to wait for a picture
    walk.press("q")
    expect(page.get_by_role("heading", name="Granskning", exact=True)).to_be_focused()
    walk.tab_to("Utveckling", "link")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Utveckling", exact=True)).to_be_focused()
    months_of_reviews(site, kim, olle, site.person("maja", Role.OPERATOR).id)
    page.reload()
    line = page.get_by_role("region", name="Anmälan")
    expect(line.get_by_role("row")).to_have_count(1 + len(scorecard().question))
    expect(line.get_by_text("10 samtal")).to_have_count(len(scorecard().question))
    expect(page.get_by_text("Siffror om personer finns inte.")).to_be_visible()
    shown = page.locator("main").inner_text().lower()
    assert not [name for name in ("olle", "maja", "kim", "lo ") if name in shown]
    looks.at("figures")


def test_a_shout_is_softened_and_a_colleague_goes_on_where_one_stopped(
    site: Served, review: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, reduced_motion="reduce")
    page, walk, looks = screen.page, Walk(screen.page, SHOWN / "walk-hand-over"), Looks(screen)
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
    # After an hour there is a word about it, here alone; it is put aside, and who does not want it has nothing counted.
    counted = "Object.keys(localStorage).filter((key) => key.startsWith('callsvc.listened.'))"
    expect(page.get_by_text("Du har lyssnat")).to_have_count(0)
    page.evaluate(
        f"localStorage.setItem({counted}[0], JSON.stringify({{ seconds: 3600, last: Date.now() }}))"
    )
    page.reload()
    stop = page.get_by_text("Du har lyssnat 1 h det här passet.")
    expect(stop).to_be_visible()
    expect(page.get_by_text("60 minuter lyssnade")).to_be_visible()
    looks.at("stop-hint")
    walk.tab_to("Lägg undan", "button")
    walk.press("Enter")
    expect(stop).to_have_count(0)
    walk.then()
    walk.tab_to("Så vill jag lyssna", "DisclosureTriangle")
    walk.press("Enter")
    walk.tab_to("Räkna min lyssningstid", "checkbox")
    walk.press("Space")
    expect(page.get_by_text("60 minuter lyssnade")).to_have_count(0)
    assert page.evaluate(counted) == []
    looks.at("not-counted")
    walk.tab_to("Visa som lista", "DisclosureTriangle", back=True)
    walk.press("Enter")
    walk.tab_to("00:20", "button")
    walk.press("Enter")
    walk.tab_to("Lämna tillbaka", "button", back=True)
    walk.press("Enter")
    walk.tab_to("Ett ord till kollegan", "textbox")
    walk.write("Jag behöver en paus.")
    walk.tab_to("Lämna tillbaka granskningen", "button")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Granskning", exact=True)).to_be_focused()
    walk.then()
    walk.keep()
    looks.say()
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
