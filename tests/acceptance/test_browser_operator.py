"""Chromium as the operator and a telephone as the caller, on a media node with nothing beside it.

The operator speaks and types, reloads the page, speaks and types again. Files of what the telephone and the browser heard
show, before and after, that each heard the other and that the telephone heard no typing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import BrowserContext, Page, async_playwright

from audio import files
from audio.codecs import PCMA
from audio.rtp import Packet
from callsvc.clock import SystemClock
from callsvc.demo.composition import Scene
from callsvc.telephony import client
from callsvc.telephony.plain import RtpConnection
from callsvc.types import Leg
from tests.support import hearing
from tests.support.node import Node, running_node
from tests.support.packets import FRAME_S, babble, payloads
from tests.support.recorder import RECORDER

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

HOST = "127.0.0.1"
SPEAK_S = 5.2
"""From the end of a sentence into the typing after it."""
FROM_S = 2.0
ATTEMPTS = 3
"""A machine that is too busy lets sound through unprocessed, and says so: then once more."""
PATIENCE_S = 60.0
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--mute-audio",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip

JOIN = """async ({ url, token }) => {
    const microphone = await navigator.mediaDevices.getUserMedia(
        { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    const pc = (window.pc = new RTCPeerConnection());
    pc.ontrack = (event) => {
        window.ear = new Audio();
        window.ear.srcObject = new MediaStream([event.track]);
        window.ear.play();
    };
    microphone.getTracks().forEach((track) => pc.addTrack(track, microphone));
    const channel = (window.channel = pc.createDataChannel("callsvc"));
    window.messages = [];
    channel.onmessage = (event) => window.messages.push(JSON.parse(event.data));
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise((done) => {
        const look = () => pc.iceGatheringState === "complete" && done();
        pc.onicegatheringstatechange = look;
        look();
    });
    const answer = await fetch(url, {
        method: "POST", body: pc.localDescription.sdp,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" } });
    if (answer.status !== 201) throw new Error(await answer.text());
    await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}"""
SAID = babble(8000, 10.0)
PIECE = 2000
HEARD = """async () => {
    const stats = [...(await window.pc.getStats()).values()];
    const heard = stats.find((one) => one.type === "inbound-rtp");
    const codec = heard && stats.find((one) => one.id === heard.codecId);
    return { received: heard?.packetsReceived ?? 0, lost: heard?.packetsLost ?? 0, codec: codec?.mimeType };
}"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A sentence's end and the typing after it; nobody speaks while strokes are judged."""
    whole = hearing.scene(FROM_S + SPEAK_S)
    rest = slice(round(FROM_S * 48_000), None)
    return Scene(
        whole.operator[rest],
        whole.caller[rest],
        tuple(at - FROM_S for at in whole.strokes_s),
        tuple((max(0.0, begin - FROM_S), end - FROM_S) for begin, end in whole.speech_s),
        whole.room_dbfs,
    )


@pytest.fixture
async def browser(tmp_path: Path, scene: Scene) -> AsyncIterator[BrowserContext]:
    """Chromium with the operator's voice as its microphone: from its beginning whenever the microphone is opened."""
    file = hearing.wav(tmp_path / "microphone.wav", scene.operator, 48_000, tail_s=600.0)
    microphone = f"--use-file-for-fake-audio-capture={file}%noloop"
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=[*FLAGS, microphone]
        )
        yield context
        await context.close()


class Telephone:
    """Says a noise that is nowhere like itself, over and over, and keeps what it hears."""

    def __init__(self, connection: RtpConnection) -> None:
        self.packets: list[Packet] = []
        self.left = asyncio.Event()
        self._connection = connection
        connection.listen(self)
        self._speaking = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        frames, loop = payloads(SAID), asyncio.get_running_loop()
        began = loop.time()
        for number in count():
            self._connection.send_frame(PCMA, frames[number % len(frames)])
            await asyncio.sleep(began + (number + 1) * FRAME_S - loop.time())

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        self.packets.append(packet)

    def on_message(self, message: object) -> None: ...

    def on_left(self, cause: str) -> None:
        self.left.set()

    def recorded(self, file: Path, since: int) -> Path:
        """A file of what came after the first so many packets."""
        decoder = PCMA.decoder()
        with files.WavWriter(file, 8000) as writer:
            for packet in self.packets[since:]:
                writer.write(decoder.decode(packet.payload))
        return file

    async def close(self) -> None:
        self._speaking.cancel()
        await asyncio.gather(self._speaking, return_exceptions=True)
        await self._connection.close()


@dataclass(frozen=True)
class Spell:
    """The call before the reload, or after it: what each end heard, in files, and what the page was told."""

    at_telephone: Path
    at_browser: Path
    stats: dict[str, Any]
    messages: list[dict[str, Any]]


async def spell(page: Page, node: Node, call: str, telephone: Telephone, folder: Path, name: str) -> Spell:
    """The operator joins, speaks and types."""
    since = len(telephone.packets)
    url, token = node.leg_url(call, Leg.OPERATOR), node.token(call, Leg.OPERATOR)
    await page.evaluate(JOIN, {"url": url, "token": token})
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate("(window.heard ?? []).length / (window.rate ?? 1)") < SPEAK_S + 0.6:
            await asyncio.sleep(0.1)
    heard = np.array(
        json.loads(await page.evaluate("JSON.stringify(window.heard.map((one) => Math.round(one * 32767)))")),
        np.int16,
    )
    with files.WavWriter(folder / f"browser-{name}.wav", int(await page.evaluate("window.rate"))) as writer:
        writer.write(heard)
    return Spell(
        telephone.recorded(folder / f"telephone-{name}.wav", since),
        folder / f"browser-{name}.wav",
        await page.evaluate(HEARD),
        await page.evaluate("window.messages"),
    )


def sound(file: Path) -> NDArray[np.float64]:
    return np.asarray(files.read(file, hearing.RATE), np.float64) / 32768


def likeness_to_the_caller(file: Path) -> float:
    """How well pieces of what the browser heard are found again in what the telephone said; half of them are better."""
    heard, found = files.read(file, 8000).astype(float), []
    said = np.tile(SAID, 2).astype(float)
    for start in range(8000, len(heard) - PIECE, PIECE):
        part = heard[start : start + PIECE]
        cross = np.abs(np.fft.irfft(np.fft.rfft(said) * np.conj(np.fft.rfft(part, len(said))), len(said)))
        at = int(cross[: len(said) - PIECE].argmax())
        found.append(cross[at] / np.sqrt(np.sum(part**2) * np.sum(said[at : at + PIECE] ** 2) + 1e-9))
    return float(np.median(found))


async def test_a_reload_in_the_middle_of_a_call_leaves_both_hearing_each_other_and_no_typing(
    node: Node, browser: BrowserContext, tmp_path: Path, scene: Scene
) -> None:
    page = await browser.new_page()
    await page.add_init_script(RECORDER)
    for _ in range(ATTEMPTS):
        call = str(uuid4())
        # Any address of this computer is a secure place, so a microphone may be had there.
        await page.goto(f"{node.url}/healthz")
        url, token = node.leg_url(call, Leg.CALLER), node.token(call, Leg.CALLER)
        telephone = Telephone(await client.join_rtp(url, token, SystemClock(), [PCMA], HOST))
        before = await spell(page, node, call, telephone, tmp_path, "before")
        await page.reload()
        after = await spell(page, node, call, telephone, tmp_path, "after")
        await page.evaluate("window.channel.send(JSON.stringify({t: 'hangup'}))")
        await asyncio.wait_for(telephone.left.wait(), PATIENCE_S)
        await telephone.close()
        assert node.wait_for("call.ended", call)["cause"] == "hangup"
        if not hearing.let_through(node, call):
            break

    # In pieces: a browser that has no time stretches what it records, and the node puts in a frame where one is late.
    # What is said while the two are being connected nobody hears.
    words = scene.operator[48_000 // 2 : round(scene.speech_s[0][1] * 48_000)]
    for one in (before, after):
        assert one.stats["codec"] == "audio/PCMA"
        live = [message for message in one.messages if message["t"] == "state" and message["state"] == "live"]
        assert live
        assert live[-1]["recording"]["condition"] == "recording"
        assert likeness_to_the_caller(one.at_browser) > 0.8
        at_telephone = hearing.judge(scene, scene.operator, sound(one.at_telephone))
        assert hearing.likeness(words, sound(one.at_telephone)) > 0.6
        assert at_telephone.strokes > 10
        assert at_telephone.before_db - at_telephone.after_db > 15
        assert at_telephone.audible_pct <= 10
