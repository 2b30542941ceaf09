"""The operator's page: a caller is heard and spoken with in the browser, and everything works by keys while one types."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from audio.files import WavWriter, read
from audio.resample import to_int16
from callsvc.demo.composition import compose
from callsvc.store import Connection, calls
from callsvc.telephony import announcements
from callsvc.web import catalogues
from tests.acceptance.screens.conftest import CHROMIUM, FLAGS, SHOWN, OpenScreen
from tests.acceptance.screens.looks import Looks
from tests.acceptance.screens.operators import (
    FILTERED,
    PEERS,
    answered_and_hung_up_by_mouse,
    captioned,
    comes,
    consents,
    every_control,
    fonts_of,
    how_the_browser_found_the_line_is_kept,
    likeness,
    shift_by_keys,
    start_shift,
    to_rate,
    until,
    what_was_consented_to_is_sealed,
    what_was_played_is_known_again,
    written_up_by_keyboard,
)  # fmt: skip
from tests.support.lid import closed_lid
from tests.support.media_keys import MediaKeys
from tests.support.on_air import OnAir, Telephone, on_air
from tests.support.packets import babble
from tests.support.recorder import RECORDER
from tests.support.sip import HOST, Baresip, settings, sip_port
from tests.support.walk import Walk

pytestmark = [pytest.mark.screens, pytest.mark.acceptance, pytest.mark.timeout(300)]

SOUND_FLAGS = [
    "--mute-audio", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
VANISH_S = 4.0
LID_S = 6.0
"""Longer than a telephone may be silent, which is shorter here than it is elsewhere."""
LINE = """version = 1
[[line]]
id = "pkc"
number = "114"
sv = "PKC 114 14"
en = "Contact centre 114 14"
profile = "report"
queue = "Anmälan"
"""


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator says and types, over and over."""
    file = tmp_path_factory.mktemp("voice") / "microphone.wav"
    with WavWriter(file, 48_000) as writer:
        writer.write(to_int16(np.asarray(compose().cut(12.0).operator, np.float32)))
    return file


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaKeys]:
    with MediaKeys(tmp_path_factory.mktemp("bus")) as bus:
        yield bus


@pytest.fixture(scope="module")
def browser(playwright: Playwright, microphone: Path, keys: MediaKeys) -> Iterator[Browser]:
    flags = [*FLAGS, *SOUND_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags, env=keys.environment)
    yield started
    started.close()


def announcing(base: Path, announcement: str) -> dict[str, str]:
    """A line that begins by playing this."""
    packaged = (announcements.PACKAGED.parent / "profiles.toml").read_text()
    own = base / "profiles.toml"
    own.write_text(packaged.replace("[report]", f'[report]\nannounce = "{announcement}"', 1))
    return {"CALLSVC_MEDIA__LINE_PROFILES": str(own)}


@pytest.fixture
def air(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[OnAir]:
    with on_air(conninfo, tmp_path, **announcing(tmp_path, "nobody-has-spoken-it")) as running:
        yield running


@pytest.fixture
def telephone(air: OnAir) -> Iterator[Telephone]:
    """Somebody has called; nobody has answered."""
    phone = Telephone(air, air.call(), babble(8000, 20.0))
    yield phone
    phone.close()


@pytest.fixture
def trunk(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[OnAir]:
    """The same with a SIP trunk, a line that says that calls are recorded, and no suppressor."""
    wished = announcing(tmp_path, "recording") | {
        "CALLSVC_SUPPRESSOR__ENABLED": "false",
        "CALLSVC_MEDIA__VANISH_AFTER_S": str(VANISH_S),
    }
    with on_air(conninfo, tmp_path, **settings("", profile="report"), **wished) as running:
        catalogues.lines.put(LINE)
        try:
            yield running
        finally:
            catalogues.lines.put(None)


@pytest.fixture
def desk_phone(trunk: OnAir, tmp_path: Path) -> Iterator[Baresip]:
    """Somebody's telephone, which presses keys and hears keys pressed."""
    say = tmp_path / "say.wav"
    with WavWriter(say, 8000) as writer:
        writer.write(np.tile(babble(8000, 20.0), 30))
    with Baresip(tmp_path, "caller", say) as phone:
        yield phone


def dialled(air: OnAir, phone: Baresip, page: Page) -> UUID:
    """The telephone has called the line, and is offered."""
    phone.do("dial", f"sip:114@{HOST}:{sip_port(air.node)}")
    phone.wait("CALL_RINGING")
    expect(page.get_by_text("Någon ringer", exact=True)).to_be_visible()

    async def newest(conn: Connection) -> UUID:
        row = await (await conn.execute("select id from calls order by created_at desc limit 1")).fetchone()
        assert row is not None
        call: UUID = row["id"]
        await calls.came_in_on(conn, call, "pkc", at=air.site.clock.utc_now())
        return call

    return air.site.run(newest)


def what_the_caller_is_left_with(
    telephone: Telephone, page: Page, keys: MediaKeys, spoken: np.ndarray
) -> None:
    """Hold, mute, listening back and an announcement, from the screen, by what comes out of the telephone."""
    begun = 0

    def since() -> np.ndarray:
        return telephone.sound()[begun:]

    def silent() -> bool:
        return len(since()) > 8000 and bool(np.abs(since()[-4000:]).max() < 100)

    def hears_the_operator() -> bool:
        return len(since()) > 16_000 and likeness(since()[-16_000:], spoken) > 0.8

    for key, words in (("Shift+F8", "Samtalet är parkerat"), ("Shift+F9", "Mikrofonen är avstängd")):
        begun = len(telephone.sound())
        page.keyboard.press(key)
        expect(page.get_by_text(words, exact=True)).to_be_visible()
        comes(page, silent, f"the caller still hears the operator after {key}")
        if key == "Shift+F8":
            until(page, "Math.max(...window.heard.slice(-window.rate / 4).map(Math.abs)) < 0.01")
        if key == "Shift+F8":
            keys.press("PlayPause")
        else:
            page.keyboard.press(key)
        expect(page.get_by_text(words, exact=True)).to_have_count(0)
        begun = len(telephone.sound())
        comes(page, hears_the_operator, f"the caller does not hear the operator again after {key}")

    page.keyboard.press("F8")
    expect(page.get_by_text("Bara du hör det.")).to_be_visible()
    begun = len(telephone.sound())
    comes(page, hears_the_operator, "the caller does not hear the operator who listens back")
    assert likeness(since(), babble(8000, 20.0)[:40_000]) < 0.5  # nothing of what was said before
    page.keyboard.press("F8")

    page.keyboard.press("F9")
    said_in_the_callers_language(page)
    page.get_by_role("button", name="Stanna kvar i telefonen").click()
    begun = len(telephone.sound())
    announced = (announcements.load()["wait"]["sv"].sound[::2] * 32767).astype(np.int16)[4000:24_000]
    comes(page, lambda: likeness(since(), announced) > 0.5, "the caller does not hear the announcement")
    expect(page.get_by_text("Den som ringer hör: Stanna kvar")).to_have_count(0)


def said_in_the_callers_language(page: Page) -> None:
    """What is played stands there to be read, from right to left where it is read so; what nobody has spoken, too."""
    for language, letter, font, spoken in (
        ("Arabiska", "ي", "Noto Sans Arabic", True),
        ("Tigrinja", "ይ", "Noto Sans Ethiopic", False),
    ):
        page.get_by_role("radio", name=language).check()
        text = page.locator(".caller-text").first
        expect(text).to_contain_text(letter)
        assert text.evaluate("(one) => getComputedStyle(one).direction") == ("rtl" if spoken else "ltr")
        comes(page, lambda: font in " ".join(fonts_of(page, ".caller-text")), f"no glyphs of {font}")  # noqa: B023
        assert not any("DejaVu" in used for used in fonts_of(page, ".caller-text"))
        expect(page.get_by_text("inget ljud, läs upp")).to_have_count(0 if spoken else 3)
        expect(page.get_by_text("inte granskad av en översättare")).to_have_count(3)
    page.get_by_role("radio", name="Svenska").check()
    expect(page.get_by_text("inte granskad av en översättare")).to_have_count(0)


def test_a_caller_is_answered_spoken_with_and_hung_up_by_keys_alone_and_the_next_by_mouse_alone(
    air: OnAir, telephone: Telephone, open_screen: OpenScreen, microphone: Path, keys: MediaKeys
) -> None:
    screen = open_screen(air.site)
    screen.page.add_init_script(RECORDER)
    page = start_shift(screen)
    expect(page.get_by_text("Någon ringer", exact=True)).to_be_visible()
    screen.keep("ringing")
    keys.press("PlayPause")
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Linjens meddelande spelades inte")).to_be_visible()
    expect(page.get_by_text("Säg det själv, eller spela det under Information.")).to_be_visible()
    looks = Looks(screen)
    looks.at("announcement-not-played")
    glance = page.get_by_role("region", name="Samtalet just nu")
    expect(glance).to_contain_text(re.compile("God|Märkbara störningar|Dålig"), timeout=30_000)
    page.keyboard.press("F4")
    expect(page.get_by_text("Markering satt vid")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_text("Maskerad", exact=True)).to_be_visible()
    screen.keep("masked")
    page.keyboard.press("F2")
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible()
    until(page, "window.heard.length > window.rate * 4")
    expect(page.get_by_role("region", name="Tangentljud dämpat")).to_contain_text(
        re.compile(r"[1-9]\d* tangentslag")
    )
    screen.keep("in-call")

    caller = np.array(page.evaluate("window.heard.slice(-3 * window.rate, -window.rate)"), np.float32)
    caller = to_rate(caller, int(page.evaluate("window.rate")))
    assert likeness(np.tile(babble(8000, 20.0), 2), caller) > 0.9
    spoken = read(microphone, 8000)
    assert likeness(telephone.sound(), spoken) > 0.9

    what_the_caller_is_left_with(telephone, page, keys, spoken)
    assert not telephone.left.is_set()
    held_by_mouse(page)
    hung_up_by_its_key(page, keys, looks)
    looks.say()
    assert telephone.left.wait(30)
    expect(page.get_by_role("button", name="Lägg på")).to_have_count(0)
    page.get_by_role("button", name="Klart").click()
    expect(page.get_by_text("Du är tillgänglig", exact=True)).to_be_visible()
    second = Telephone(air, air.call(), babble(8000, 20.0))
    try:
        answered_and_hung_up_by_mouse(page, second)
    finally:
        second.close()


def test_a_closed_lid_a_reload_and_a_lost_network_lose_neither_call_nor_text_and_no_mouse_is_needed(
    trunk: OnAir, desk_phone: Baresip, open_screen: OpenScreen, microphone: Path
) -> None:
    screen = open_screen(trunk.site, reduced_motion="reduce")
    screen.page.add_init_script(FILTERED + PEERS)
    page, walk, looks = screen.page, Walk(screen.page, SHOWN / "walk-operator"), Looks(screen)
    shift_by_keys(screen, walk, looks)
    expect(page.get_by_text("Krisp filtrerar mikrofonen.")).to_be_visible()
    expect(page.get_by_text("Webbläsaren: brusreducering.")).to_be_visible()
    call = dialled(trunk, desk_phone, page)
    expect(page.get_by_role("alert")).to_contain_text(re.compile("PKC 114 14.*kö Anmälan"))
    looks.at("ringing")
    walk.press("Shift+F2")
    recording = page.get_by_text("Spelar in", exact=True)
    expect(recording).to_be_visible(timeout=30_000)
    desk_phone.wait("CALL_ESTABLISHED")
    glance = page.get_by_role("region", name="Samtalet just nu")
    expect(glance).to_contain_text(re.compile("PKC 114 14.*kö Anmälan"))
    expect(page.get_by_text("Tangentljud dämpas inte just nu")).to_be_visible()
    expect(page.get_by_text("Samtalet fortsätter. Skriv så lite som möjligt")).to_be_visible()
    notes = page.get_by_label("Anteckningar under samtalet")
    expect(notes).to_be_focused()
    walk.then()
    every_control(page, walk, desk_phone, looks)

    walk.write("Hon är hos sin syster.\n")
    walk.press("F4")  # while one types
    expect(page.get_by_text("Markering satt vid")).to_be_visible()
    expect(notes).to_be_focused()
    expect(page.get_by_text("Sparat", exact=True)).to_be_visible()
    walk.write("Grannen ")
    with closed_lid(str(microphone)) as stopped:
        assert stopped > 3
        time.sleep(LID_S)
    walk.write("hör.\n")
    expect(page.get_by_text("Sparat", exact=True)).to_be_visible()
    expect(recording).to_be_visible(timeout=30_000)

    # The service is away, and then the node: the call is held, and so is the text.
    page.route("**/api/**", lambda route: route.abort())
    walk.write("Dörren är låst.")
    expect(page.get_by_text("Sparat på den här datorn", exact=True)).to_be_visible()
    looks.at("lost-network")
    page.evaluate("window.fail()")
    expect(page.get_by_text("Samtalet hålls kvar en kort stund")).to_be_visible()
    looks.at("reconnecting")
    page.unroute("**/api/**")
    expect(recording).to_be_visible(timeout=60_000)
    page.reload()
    expect(notes).to_have_value("Hon är hos sin syster.\nGrannen hör.\nDörren är låst.")
    expect(recording).to_be_visible(timeout=30_000)
    expect(notes).to_be_focused()
    walk.then()
    expect(page.locator(".note-time")).to_have_count(3)
    what_was_played_is_known_again(walk)
    captioned(trunk, call, walk)
    walk.tab_to("Är i säkerhet och kan tala fritt", "checkbox")
    walk.press("Space")
    expect(page.get_by_text("1 av 3")).to_be_visible()
    consents(walk)
    looks.at("in-call")

    page.keyboard.press("Shift+F4")
    expect(page.get_by_role("button", name="Tryck igen för att lägga på")).to_be_visible()
    page.keyboard.press("Shift+F4")
    desk_phone.wait("CALL_CLOSED")
    expect(page.get_by_role("heading", name="Efter samtalet")).to_be_visible(timeout=30_000)
    written_up_by_keyboard(walk)
    what_was_consented_to_is_sealed(trunk, call, page)
    how_the_browser_found_the_line_is_kept(trunk, call, page)
    looks.at("wrap-up")
    walk.press("F10")
    expect(page.get_by_text("Du är tillgänglig", exact=True)).to_be_visible()
    walk.then()
    walk.press("Tab")
    walk.keep()
    who_filters_is_said_until_it_is_known(page)
    looks.say()


def held_by_mouse(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Parkera")).click()
    expect(page.get_by_text("Samtalet är parkerat", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("Ta tillbaka")).click()
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible()


def hung_up_by_its_key(page: Page, keys: MediaKeys, looks: Looks) -> None:
    """The stop key, and again: once more where the machine was too slow for the second to belong to the first."""
    keys.press("Stop")
    expect(page.get_by_role("button", name="Tryck igen för att lägga på")).to_be_visible()
    looks.at("about-to-hang-up")
    for _ in range(10):
        page.wait_for_timeout(500)
        keys.press("Stop")
        page.wait_for_timeout(500)
        if page.get_by_role("button", name=re.compile("Lägg på|Tryck igen")).count() == 0:
            return


def who_filters_is_said_until_it_is_known(page: Page) -> None:
    """A microphone whose pauses are dead is found by listening; what has been read is not said again, also after a reload."""
    meter = page.get_by_role("meter", name="Mikrofonens nivå")
    expect(meter).to_be_visible()
    gate = page.get_by_text("Det blir helt tyst mellan orden")
    expect(gate).to_have_count(0)
    page.evaluate("window.gated = true")
    expect(gate).to_be_visible()
    page.get_by_role("button", name="Visa inte igen för den här mikrofonen").click()
    expect(gate).to_have_count(0)
    page.reload()
    expect(meter).to_be_visible()
    expect(page.get_by_text("Krisp filtrerar mikrofonen.")).to_have_count(0)
