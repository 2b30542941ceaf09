"""The other end of a leg: what a client does to join a call on a media node. For our own peers and for tests."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from audio import codecs
from audio.codecs import Codec
from callsvc.clock import Clock
from callsvc.errors import Unavailable
from callsvc.telephony import sdp
from callsvc.telephony.plain import Ports, RtpConnection
from callsvc.telephony.webrtc import CHANNEL, Quiet, WebRtcConnection

FIRST_DYNAMIC = 96
TIMEOUT_S = 10.0


class NodeRefused(Unavailable):
    """The media node took the offer, or the command, not."""

    def __init__(self, status: int, body: bytes) -> None:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        self.answer: dict[str, Any] = found if isinstance(found, dict) else {}
        """The node's own words, as a problem document."""
        super().__init__("The media node refused ({code}).", code=self.answer.get("code", status))


async def join_webrtc(url: str, token: str, clock: Clock, spoken: Sequence[Codec]) -> WebRtcConnection:
    """Join by WebRTC, with our data channel; `spoken` are the codecs to offer, the preferred one first."""
    peer, transceiver, channel = await offer_of(spoken)
    try:
        answer = await signal(url, token, peer.localDescription.sdp)
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        connection = WebRtcConnection(peer, transceiver, clock)
    except BaseException:
        await peer.close()
        raise
    connection.use_channel(channel)
    return connection


async def offer_of(spoken: Sequence[Codec]) -> tuple[RTCPeerConnection, RTCRtpTransceiver, RTCDataChannel]:
    """A peer connection with an offer in its local description: sound both ways, and our data channel."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        transceiver = peer.addTransceiver(Quiet(), "sendrecv")
        transceiver.setCodecPreferences(
            [
                RTCRtpCodecCapability(
                    mimeType=f"audio/{codec.name}",
                    clockRate=codec.clock_hz,
                    channels=2 if codec is codecs.OPUS else 1,
                )
                for codec in spoken
            ]
        )
        channel = peer.createDataChannel(CHANNEL)
        await peer.setLocalDescription(await peer.createOffer())
    except BaseException:
        await peer.close()
        raise
    return peer, transceiver, channel


async def join_rtp(url: str, token: str, clock: Clock, spoken: Sequence[Codec], host: str) -> RtpConnection:
    """Join by plain RTP from a free port of `host`."""
    socket = await Ports(host, 0, 0).bind()
    try:
        port = socket.local[1]
        offered: dict[int, Codec] = {}
        for codec in spoken:
            number = codec.payload_type
            offered[FIRST_DYNAMIC + len(offered) if number is None else number] = codec
        answer = await signal(url, token, sdp.plain(host, port, offered, secrets.randbits(31)))
        agreed = sdp.parse(answer.encode())
    except BaseException:
        socket.close()
        raise
    return RtpConnection(socket, (agreed.host, agreed.port), agreed.codecs, clock)


async def signal(url: str, token: str, offer: str) -> str:
    """Hand an offer in and get the answer; raises `NodeRefused` with the node's own words when it refuses."""
    return await asyncio.to_thread(_request, "POST", url, token, offer.encode())


async def hang_up(url: str, token: str) -> None:
    """End the leg by HTTP."""
    await asyncio.to_thread(_request, "DELETE", url, token, None)


def _request(method: str, url: str, token: str, body: bytes | None) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            text: str = answer.read().decode("utf-8")
            return text
    except urllib.error.HTTPError as error:
        with error:
            raise NodeRefused(error.code, error.read()) from None
    except OSError as error:
        raise Unavailable("The media node does not answer ({kind}).", kind=type(error).__name__) from None
