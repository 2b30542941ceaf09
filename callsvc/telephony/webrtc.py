"""A leg on WebRTC, by aiortc, of which we use ICE, DTLS, SRTP and the data channel, and not its handling of sound.

Packets go straight to and from SRTP, past its jitter buffer, encoder and queues (`straight`). This rests on names that
aiortc does not promise to keep: its version is pinned.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtcpRrPacket, RtcpSrPacket, RtpPacket

from audio import codecs, rtp
from audio.codecs import Codec
from audio.errors import BadPacket
from audio.rtp import Packet
from callsvc.clock import Clock
from callsvc.telephony.connection import NTP_UNIX_S, Connection, SenderReport
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.out import OutStream
from callsvc.telephony.sip.admission import Bucket
from callsvc.telephony.straight import Straight

CHANNEL = "callsvc"
MAX_MESSAGE_CHARS = 4096
MAX_BUFFERED_BYTES = 64 * 1024
MESSAGES_PER_S = 100.0
"""More than a person's keys and commands come to; what goes beyond is dropped, for reading it would take time from calls."""
MESSAGES_AT_ONCE = 200.0
SETUP_S = 15.0
GOODBYE_S = 0.1
"""How long a last message may take to leave."""
PARSER_ERRORS = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, InvalidStateError, OperationError,
)  # fmt: skip
"""What aiortc raises for descriptions that make no sense."""
OPUS_FORMAT = "minptime=10;useinbandfec=1;stereo=0;maxaveragebitrate=64000"


class Seen(NamedTuple):
    """What aiortc's statistics want to know of a packet, by their names."""

    sequence_number: int
    timestamp: int


class Quiet(MediaStreamTrack):
    """A track that never has anything: keeps aiortc's own sender asleep."""

    kind = "audio"

    async def recv(self) -> Any:
        await asyncio.Event().wait()


class WebRtcConnection(Connection):
    """One leg on WebRTC: the node's end of it, or a client's."""

    transport: ClassVar[str] = "webrtc"
    may_return: ClassVar[bool] = True

    def __init__(self, peer: RTCPeerConnection, transceiver: RTCRtpTransceiver, clock: Clock) -> None:
        self._peer = peer
        self._sender: Any = transceiver.sender
        self._receiver: Any = transceiver.receiver
        self._channel: RTCDataChannel | None = None
        agreed: dict[int, Codec] = {
            codec.payloadType: codecs.by_name(codec.name)
            for codec in transceiver._codecs
            if codec.payloadType is not None
        }
        out = OutStream(self._sender._ssrc, secrets.randbits(15), secrets.randbits(32))
        super().__init__(agreed, out, clock)
        self._messages = Bucket(MESSAGES_PER_S, MESSAGES_AT_ONCE, clock.monotonic())
        self._handle_theirs = self._receiver._handle_rtcp_packet
        self._straight = Straight(self._sender.transport, self._take)
        setattr(self._receiver, "_handle_rtp_packet", self._handle_rtp_packet)  # noqa: B010  its own is a method
        setattr(self._receiver, "_handle_rtcp_packet", self._handle_rtcp_packet)  # noqa: B010
        self._handle_heard = self._sender._handle_rtcp_packet
        setattr(self._sender, "_handle_rtcp_packet", self._handle_what_is_heard)  # noqa: B010
        peer.on("connectionstatechange", self._state_changed)
        peer.on("datachannel", self.use_channel)
        self._setup = asyncio.get_running_loop().call_later(SETUP_S, self._never_ready)
        self._state_changed()

    def use_channel(self, channel: RTCDataChannel) -> None:
        """Take this data channel for messages, if it is ours."""
        if channel.label == CHANNEL and self._channel is None:
            self._channel = channel
            channel.on("message", self._channel_message)
            channel.on("open", self._channel_open)
            self._channel_open()

    def _channel_open(self) -> None:
        if self._channel and self._channel.readyState == "open" and self._listener and not self._left:
            self._listener.on_channel()

    def _state_changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            self._setup.cancel()
            if not self.ready and len(self._peer.getTransceivers()) == 1:
                self._straight.begin()
            self._become_ready()
        elif state in ("failed", "closed"):
            self._setup.cancel()
            self._leave("closed" if state == "closed" and self.ready else "failed")

    def _never_ready(self) -> None:
        self._leave("failed")

    def _channel_message(self, text: object) -> None:
        may = self._messages.take(self.clock.monotonic())
        if not may or not isinstance(text, str) or len(text) > MAX_MESSAGE_CHARS:
            self.malformed += 1
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict):
            self._message(message)
        else:
            self.malformed += 1

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        # What came before the straight way began, or beside other media.
        self._taken(
            Packet(
                packet.payload_type,
                packet.sequence_number,
                packet.timestamp,
                packet.ssrc,
                packet.payload,
                bool(packet.marker),
            )
        )

    def _take(self, data: bytes) -> None:
        try:
            packet = rtp.parse(data)
        except BadPacket:
            self.malformed += 1
            return
        self._taken(packet)

    def _taken(self, packet: Packet) -> None:
        codec = self.codecs.get(packet.payload_type)
        if codec is not None:
            # aiortc's receiver reports are made from these figures.
            streams = self._receiver._RTCRtpReceiver__remote_streams
            if packet.ssrc not in streams:
                streams.clear()
                streams[packet.ssrc] = StreamStatistics(codec.clock_hz)
            streams[packet.ssrc].add(Seen(packet.sequence, packet.timestamp))
        self._heard(packet)

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self.sender_report = SenderReport(info.rtp_timestamp, info.ntp_timestamp / (1 << 32) - NTP_UNIX_S)
        await self._handle_theirs(packet)

    async def _handle_what_is_heard(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            for report in packet.reports:
                if report.ssrc == self._out.ssrc:
                    self.peer_loss = report.fraction_lost / 256
        await self._handle_heard(packet)

    def _transmit(self, packet: Packet) -> None:
        if not self.ready or self._left:
            return
        if not self._straight.send(rtp.build(packet)):
            return
        # aiortc's sender reports are made from these figures.
        sender = self._sender
        sender._RTCRtpSender__ntp_timestamp = int((self.clock.utc_now().timestamp() + NTP_UNIX_S) * (1 << 32))
        sender._RTCRtpSender__rtp_timestamp = packet.timestamp
        sender._RTCRtpSender__octet_count += len(packet.payload)
        sender._RTCRtpSender__packet_count += 1

    def tell(self, message: Mapping[str, object]) -> None:
        channel = self._channel
        if channel and channel.readyState == "open" and channel.bufferedAmount < MAX_BUFFERED_BYTES:
            channel.send(json.dumps(message, separators=(",", ":")))

    async def close(self) -> None:
        self._left = True
        self._setup.cancel()
        if self._channel and self.ready:
            await asyncio.sleep(GOODBYE_S)
        await self._peer.close()


async def _let_go(peer: Any) -> None:
    """Close a peer connection, also one that was only half made: aiortc stumbles over what it never got."""
    try:
        await peer.close()
    except AttributeError:
        for transport in [*peer._RTCPeerConnection__dtlsTransports, *peer._RTCPeerConnection__iceTransports]:
            await transport.stop()
        peer.remove_all_listeners()


async def accept(body: str, clock: Clock, spoken: Sequence[str] = ()) -> tuple[WebRtcConnection, str]:
    """Answer a WebRTC offer: every codec of it that we speak, the sender's best first; or `spoken` alone, as named."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        await peer.setRemoteDescription(RTCSessionDescription(body, "offer"))
        transceivers = [one for one in peer.getTransceivers() if one.kind == "audio"]
        if len(transceivers) != 1:
            raise BadOffer("exactly one audio line is needed")
        transceiver = transceivers[0]
        transceiver.sender.replaceTrack(Quiet())
        transceiver.direction = "sendrecv"
        if spoken:
            # What was agreed on is chosen when the offer is taken in, and kept in the transceiver.
            offered = {codec.name.lower(): codec for codec in transceiver._codecs}
            transceiver._codecs[:] = [offered[name.lower()] for name in spoken if name.lower() in offered]
        connection = WebRtcConnection(peer, transceiver, clock)
        await peer.setLocalDescription(await peer.createAnswer())
    except PARSER_ERRORS as error:
        await _let_go(peer)
        raise BadOffer(type(error).__name__) from None
    except BaseException:
        await _let_go(peer)
        raise
    return connection, with_opus_format(peer.localDescription.sdp, connection.codecs)


def with_opus_format(description: str, agreed: Mapping[int, Codec]) -> str:
    """The same description with our wishes for Opus, which aiortc leaves out."""
    number = next((number for number, codec in agreed.items() if codec is codecs.OPUS), None)
    lines = []
    for line in description.split("\r\n"):
        lines.append(line)
        if number is not None and line.startswith(f"a=rtpmap:{number} "):
            lines.append(f"a=fmtp:{number} {OPUS_FORMAT}")
    return "\r\n".join(lines)
