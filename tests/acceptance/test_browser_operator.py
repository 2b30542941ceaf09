"""Chromium as the operator and a telephone as the caller, on a media node with nothing beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from playwright.async_api import BrowserContext, async_playwright
from scipy.signal import correlate

from audio.codecs import PCMA
from audio.files import WavWriter, read
from audio.resample import to_int16
from audio.rtp import Packet
from callsvc.clock import SystemClock
from callsvc.demo.composition import compose
from callsvc.telephony import client
from callsvc.types import Leg
from tests.support.node import Node, running_node
from tests.support.packets import FRAME_S, babble, payloads

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

HOST = "127.0.0.1"
SPEAK_S = 6.0
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
HEARD = """async () => {
    const stats = [...(await window.pc.getStats()).values()];
    const heard = stats.find((one) => one.type === "inbound-rtp");
    const codec = heard && stats.find((one) => one.id === heard.codecId);
    return { received: heard?.packetsReceived ?? 0, lost: heard?.packetsLost ?? 0, codec: codec?.mimeType,
             energy: heard?.totalAudioEnergy ?? 0 };
}"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """Chromium with the operator's voice as its microphone."""
    voice = compose().cut(SPEAK_S + 6.0).operator
    with WavWriter(tmp_path / "microphone.wav", 48_000) as file:
        file.write(to_int16(np.asarray(voice, np.float32)))
    microphone = f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}%noloop"
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=[*FLAGS, microphone]
        )
        yield context
        await context.close()


class Telephone:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.left = asyncio.Event()

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        self.packets.append(packet)

    def on_message(self, message: object) -> None: ...

    def on_left(self, cause: str) -> None:
        self.left.set()


async def test_a_browser_talks_with_a_telephone_and_sees_how_the_call_is(
    node: Node, browser: BrowserContext, tmp_path: Path
) -> None:
    call = str(uuid4())
    page = await browser.new_page()
    # Any address of this computer is a secure place, so a microphone may be had there.
    await page.goto(f"{node.url}/healthz")
    url, token = node.leg_url(call, Leg.CALLER), node.token(call, Leg.CALLER)
    phone = await client.join_rtp(url, token, SystemClock(), [PCMA], HOST)
    telephone = Telephone()
    phone.listen(telephone)
    await page.evaluate(
        JOIN, {"url": node.leg_url(call, Leg.OPERATOR), "token": node.token(call, Leg.OPERATOR)}
    )
    node.wait_for("call.started", call)
    for frame in payloads(babble(8000, SPEAK_S)):
        phone.send_frame(PCMA, frame)
        await asyncio.sleep(FRAME_S)
    heard: dict[str, Any] = await page.evaluate(HEARD)
    messages: list[dict[str, Any]] = await page.evaluate("window.messages")
    await page.evaluate("window.channel.send(JSON.stringify({t: 'hangup'}))")
    await asyncio.wait_for(telephone.left.wait(), 10)
    await phone.close()

    assert heard["codec"] == "audio/PCMA"
    assert heard["received"] > 0.9 * SPEAK_S / FRAME_S
    assert heard["energy"] > 0
    live = [one for one in messages if one["t"] == "state" and one["state"] == "live"]
    assert live
    assert live[-1]["recording"]["condition"] == "recording"
    assert node.wait_for("call.ended", call)["cause"] == "hangup"

    spoken = read(tmp_path / "microphone.wav", 8000).astype(float)
    decoder = PCMA.decoder()
    at_phone = np.concatenate([decoder.decode(one.payload) for one in telephone.packets]).astype(float)
    # In pieces: a browser that has no time stretches what it records, and the node puts in a frame where one is late.
    size, likenesses = 2000, []
    powers = np.convolve(at_phone**2, np.ones(size), "valid")
    for start in range(2 * 8000, 4 * 8000, size):
        part = spoken[start : start + size]
        cross = np.abs(correlate(at_phone, part, "valid"))
        likenesses.append(float((cross / np.sqrt(np.sum(part**2) * powers + 1e-9)).max()))
    assert np.median(likenesses) > 0.7
