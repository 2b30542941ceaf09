"""One call on the screen: closed until a reason is given, then heard and read in step."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from callsvc.store import Connection, call_notes, keystrokes
from callsvc.types import Leg, Profile, Role, TranscriptState
from tests.acceptance.screens.conftest import SECONDS, TONES, OpenScreen, Screen
from tests.support import past_calls as calls
from tests.support.recordings import Made
from tests.support.web import Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

# Listens at the loudspeaker and tells which of the tones are to be heard.
EAR = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.ear ??= new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
    connect.call(this, window.ear);
  }
  return connect.call(this, to, ...rest);
};
window.heard = (tones) => {
  if (!window.ear) return [];
  const bins = new Float32Array(window.ear.frequencyBinCount);
  window.ear.getFloatFrequencyData(bins);
  const width = window.ear.context.sampleRate / window.ear.fftSize;
  return tones.filter((hz) => bins[Math.round(hz / width)] > -45);
};
"""


def hears(page: Page, *tracks: str) -> None:
    """Wait until exactly these tracks are to be heard."""
    wanted = sorted(TONES[track] for track in tracks)
    heard: list[int] = []
    for _ in range(200):
        heard = page.evaluate("(tones) => window.heard(tones)", sorted(TONES.values()))
        if heard == wanted:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{heard} is heard, not {wanted}")


@pytest.fixture
def reader(site: Served, open_screen: OpenScreen) -> Screen:
    return listening(site, open_screen, Role.INVESTIGATOR)


@pytest.fixture
def reviewer(site: Served, open_screen: OpenScreen) -> Screen:
    return listening(site, open_screen, Role.QA)


def listening(site: Served, open_screen: OpenScreen, role: Role) -> Screen:
    screen = open_screen(site)
    screen.page.add_init_script(EAR)
    screen.sign_in("birgitta", role)
    return screen


def position(page: Page) -> float:
    return float(page.get_by_role("slider", name="Plats i samtalet").get_attribute("aria-valuenow") or 0)


def comes(page: Page, true: Callable[[float], bool]) -> None:
    """Wait until the place in the call is where it should be."""
    for _ in range(200):
        if true(position(page)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the place in the call stayed at {position(page)}")


def test_nothing_is_heard_or_read_before_a_reason(call: str, reader: Screen) -> None:
    page = reader.page
    reader.go(f"/samtal/{call}")
    expect(page.get_by_role("heading", name="Bevis på tystnad")).to_be_visible()
    expect(page.get_by_text("214 tangentslag hittades.")).to_be_visible()
    expect(page.get_by_text("berätta")).to_have_count(0)
    expect(page.get_by_role("slider")).to_have_count(0)
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_role("alert")).to_contain_text("Välj ett skäl")
    reader.keep("closed")
    page.get_by_label("Ärendenummer eller egna ord").fill("5000-K1234-26")
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_role("slider")).to_be_visible()
    expect(page.get_by_text("berätta")).to_be_visible()
    page.reload()
    expect(page.get_by_text("berätta")).to_be_visible()  # open until signed out
    expect(page.get_by_text("Ljudet är av").first).to_be_visible()
    expect(page.get_by_label("Rått från mikrofonen")).to_have_count(0)  # that is for quality review
    page.keyboard.press("k")  # nothing sounds before one has chosen to hear
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()
    assert page.evaluate("window.heard([500, 1000, 3000])") == []


def test_both_parties_are_heard_and_the_operator_raw_or_as_the_caller_heard(
    call: str, reviewer: Screen
) -> None:
    page = reviewer.page
    reviewer.sound_on("birgitta")
    reviewer.open_call(call)
    page.get_by_role("button", name="Spela", exact=True).click()
    hears(page, "caller.rx", "operator.tx")
    reviewer.keep("playing")
    for _ in range(3):
        page.keyboard.press("+")
    expect(page.get_by_label("Hastighet")).to_have_value("2")
    hears(page, "caller.rx", "operator.tx")  # twice as fast, and no tone of it higher
    page.keyboard.press("b")
    hears(page, "caller.rx", "operator.rx")
    expect(page.get_by_label("Rått från mikrofonen")).to_be_checked()
    page.get_by_role("group", name="Hör", exact=True).get_by_label("Uppringare").uncheck()
    hears(page, "operator.rx")
    page.get_by_label("Som uppringaren hörde").check()
    hears(page, "operator.tx")
    a_stretch_is_drawn_on_the_waveform_and_heard_again_until_escape(page)
    reviewer.keep("repeated")
    page.keyboard.press("Escape")
    expect(page.locator(".repeated")).to_have_count(0)
    comes(page, lambda at: at >= 15)
    page.get_by_role("button", name="Pausa").click()
    expect(page.get_by_role("button", name="Spela", exact=True)).to_be_visible()


def a_stretch_is_drawn_on_the_waveform_and_heard_again_until_escape(page: Page) -> None:
    slider = page.get_by_role("slider", name="Plats i samtalet")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    begin, end = (box["x"] + box["width"] * at / SECONDS for at in (10, 14))
    page.mouse.move(end, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(begin, box["y"] + 90, steps=4)
    page.mouse.up()
    drawn = page.locator(".repeated").bounding_box()
    assert drawn
    assert abs(drawn["x"] - begin) < 3
    assert abs(drawn["x"] + drawn["width"] - end) < 3
    for _ in range(2):
        comes(page, lambda at: 13 <= at <= 14)
        comes(page, lambda at: 10 <= at <= 11)


def test_a_word_plays_by_click_and_by_enter_and_the_text_goes_along(call: str, reader: Screen) -> None:
    page = reader.page
    reader.sound_on("birgitta")
    reader.open_call(call)
    page.get_by_role("button", name="dörren", exact=True).click()
    comes(page, lambda at: 15 <= at <= 22)
    expect(page.locator("li[aria-current=true]")).to_contain_text("Han stod utanför dörren")
    page.get_by_role("button", name="Pausa").click()
    first = page.get_by_role("button", name="Är", exact=True)
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="i", exact=True).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    comes(page, lambda at: 20 <= at <= 26)
    expect(page.get_by_text("skrek (osäkert)")).to_be_attached()


def test_the_place_in_the_call_is_a_slider_and_keys_move_it(call: str, reader: Screen) -> None:
    page = reader.page
    reader.open_call(call)
    slider = page.get_by_role("slider", name="Plats i samtalet")
    slider.focus()
    page.keyboard.press("End")
    comes(page, lambda at: at == SECONDS)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "00:05 av 00:30")
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.keyboard.press("j")
    comes(page, lambda at: at == 10)
    page.keyboard.press("i")  # from here, and ten seconds on: to here
    expect(page.get_by_text("Börjar 00:10,0.")).to_be_visible()
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.keyboard.press("o")
    expect(page.get_by_text("Upprepar 00:10,0–00:20,0, 10 s.")).to_be_visible()
    comes(page, lambda at: at == 10)  # where it begins
    page.get_by_role("button", name="Sluta upprepa").click()
    expect(page.locator(".repeated")).to_have_count(0)
    slider.focus()
    page.keyboard.press("ArrowDown")  # belongs to the slider while it has the focus
    comes(page, lambda at: at == 5)
    page.keyboard.press("+")
    expect(page.get_by_label("Hastighet")).to_have_value("1.25")
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    comes(page, lambda at: 14 <= at <= 16)


def test_what_happened_stands_on_lanes_and_in_lists_with_place_length_and_cause(
    site: Served, call: str, reader: Screen
) -> None:
    async def noted(conn: Connection) -> None:
        at = calls.BEGAN
        await call_notes.add(conn, UUID(call), "mask", 8000, {"on": True, "reason": "private"}, at=at)
        await call_notes.add(conn, UUID(call), "mask", 12_500, {"on": False}, at=at)
        await call_notes.add(conn, UUID(call), "marker", 16_000, {"marker": "threat"}, at=at)
        await keystrokes.add(conn, UUID(call), [(4000 + 180 * n, -41 + n) for n in range(8)], at=at)
        await keystrokes.add(conn, UUID(call), [(22_300, -38)], at=at)

    site.run(noted)
    page = reader.page
    reader.open_call(call)
    page.get_by_text("Luckor i inspelningen").click()
    expect(page.get_by_text("Uppringare: förlust i nätet, 0,4 s")).to_be_visible()
    page.get_by_role("button", name="00:20", exact=True).first.click()
    comes(page, lambda at: at == 20)
    page.locator(".lane-mask .lane-title").click()
    expect(page.locator(".lane-mask li")).to_have_text("00:08 Privat, 4,5 s")
    expect(page.locator(".lane-marker")).to_contain_text("Markeringar1")
    page.locator(".lane-strokes .lane-title").click()
    expect(page.locator(".lane-strokes .lane-title")).to_have_text("Tangentslag9")
    strokes = page.locator(".lane-strokes li")
    expect(strokes).to_have_text(
        [
            "00:04 8 tangentslag, som starkast −34 dB vid mikrofonen, 1,3 s",
            "00:22 1 tangentslag, som starkast −38 dB vid mikrofonen",
        ]
    )
    strokes.get_by_role("button").first.click()
    comes(page, lambda at: at == 4)
    reader.keep("lanes")
    assert reader.faults() == []
    bar = page.locator(".lane-marker .lane-bar").bounding_box()
    assert bar
    page.mouse.click(bar["x"] + bar["width"] * 16.2 / SECONDS, bar["y"] + 5)
    comes(page, lambda at: at == 16)


def test_an_hour_of_talk_stands_in_the_page_only_as_far_as_it_is_seen(
    site: Served, made: Made, reader: Screen
) -> None:
    call = str(site.run(lambda conn: calls.recorded(conn, made)))
    hour = [
        (Leg.CALLER if n % 3 else Leg.OPERATOR, f"Yttrande {n} om hunden och katten.") for n in range(700)
    ]
    site.run(lambda conn: calls.transcribed(conn, UUID(call), said=hour, every_ms=40))
    page = reader.page
    reader.open_call(call)
    rows = page.locator(".utterance")
    expect(rows.first).to_have_attribute("aria-setsize", "700")
    assert rows.count() < 80
    slider = page.get_by_role("slider", name="Plats i samtalet")
    slider.focus()
    page.keyboard.press("End")
    heard = page.locator("li[aria-current=true]")
    page.locator(".utterances").scroll_into_view_if_needed()
    expect(heard).to_contain_text("Yttrande 699")
    expect(heard).to_be_in_viewport()
    page.get_by_label("Sök i samtalets text").fill("yttrande 350 om")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 ställe", exact=True)).to_be_visible()
    expect(heard).to_contain_text("Yttrande 350")
    follow = page.get_by_label("Följ med")
    expect(follow).to_be_checked()
    page.locator(".utterances").hover()
    page.mouse.wheel(0, 3000)
    expect(follow).not_to_be_checked()  # who scrolls reads on there
    page.emulate_media(media="print")
    expect(rows).to_have_count(700)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TranscriptState.WAITING_MODEL, "Väntar på modell"),
        (TranscriptState.QUEUED, "Samtalet står i kö"),
        (TranscriptState.RUNNING, "Samtalet skrivs ut"),
        (TranscriptState.FAILED, "Texten misslyckades"),
    ],
)
def test_a_text_that_is_not_there_says_why_and_what_to_do(
    site: Served, reader: Screen, state: TranscriptState, words: str
) -> None:
    call = site.run(lambda conn: calls.finished(conn, degraded=True, profile=Profile.EMERGENCY))
    site.run(lambda conn: calls.waiting(conn, call, state, 0.4))
    reader.go(f"/samtal/{call}")
    reader.page.get_by_label("Utredning").check()
    reader.page.get_by_role("button", name="Öppna samtalet").click()
    expect(reader.page.get_by_role("region", name="Text")).to_contain_text(words)
    expect(reader.page.get_by_role("region", name="Lyssna")).to_contain_text("ingen inspelning")
    reader.keep()


def test_who_may_not_listen_is_told_who_may(site: Served, call: str, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.sign_in("omar", Role.OPERATOR)

    async def answered_by_omar(conn: Connection) -> None:
        await conn.execute("update calls set answered_by = (select id from users where name = 'omar')")

    site.run(answered_by_omar)
    screen.go(f"/samtal/{call}")
    expect(screen.page.get_by_text("Ljud och text är inte för din roll")).to_be_visible()
    expect(screen.page.get_by_role("button", name="Öppna samtalet")).to_have_count(0)
