"""One leg on an AudioSocket. Its messages are made packets, numbered and dated by us, since they carry neither.

What Asterisk needs to be spared: a frame of no bytes ends the call, a frame that comes in two halves may (its reader
waits 5 ms for the second), and a stream that does not begin by itself may stay mute. So silence (for who
waits for an operator: a ringing tone) goes out at once and until the call has sound, and a frame is written whole or, to a
peer that does not read, not at all.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import ClassVar

from audio.codecs.linear import Linear
from audio.conceal import Concealer
from audio.rtp import Packet
from callsvc.clock import Clock
from callsvc.telephony.asterisk import metrics
from callsvc.telephony.asterisk.frames import CODECS, HEADER_BYTES, Kind, Message, build
from callsvc.telephony.asterisk.ringing import Ringing
from callsvc.telephony.asterisk.timeline import Timeline
from callsvc.telephony.connection import Connection
from callsvc.telephony.digits import DIGITS
from callsvc.telephony.out import OutStream

FRAME_S = 0.020
READY_S = 1.0
"""How long the first sound is waited for; a caller who is muted sends none."""
LOOK_EVERY_S = 1.0
PAUSE_S = 0.2
"""A stream that stood still for longer paused; what is shorter is the way's own unsteadiness."""
MAX_BEHIND_FRAMES = 10
"""Frames that a peer may leave unread beside what the system holds for it, before more are left out."""
SYSTEM_BUFFER_BYTES = 16 * 1024
"""What the system holds (it doubles the number): half a second, so that nobody hears seconds that are gone."""
MAX_CONCEALED = 5
GOODBYE_S = 1.0


class AudioSocketConnection(Connection):
    """One leg on an AudioSocket; begins to send silence when it is made."""

    transport: ClassVar[str] = "audiosocket"

    def __init__(self, wire: asyncio.Transport, preferred: Kind, clock: Clock) -> None:
        self._wire = wire
        if (bound := wire.get_extra_info("socket")) is not None:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_BUFFER_BYTES)
        self._kind = preferred
        others = [kind for kind in CODECS if kind is not preferred]
        out = OutStream(secrets.randbits(32), 0, 0)
        super().__init__({kind: CODECS[kind] for kind in [preferred, *others]}, out, clock)
        self.lost = 0
        """Frames that Asterisk says it never got."""
        self.choked = 0
        """Frames left out because the peer did not read."""
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done with the cause when the call is over."""
        self._ssrc, self._sequence, self._timestamp = secrets.randbits(32), 0, 0
        self._rest = bytearray()
        self._arrived: float | None = None
        self._timeline = Timeline()
        self._began = clock.monotonic()
        self._spoken = False
        self._rests = False
        self._ringing: Ringing | None = None
        self.on_press: Callable[[str], None] | None = None
        """Sends a digit to the peer; not on this wire."""
        self._last_out: int | None = None
        self._concealers: dict[int, Concealer] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = asyncio.get_running_loop().time()
        self._pace()

    @property
    def codec(self) -> Linear:
        """What the peer speaks."""
        return CODECS[self._kind]

    # What comes in.

    def take(self, messages: list[Message]) -> None:
        """What one reading of the wire brought."""
        now = self.last_heard = self.clock.monotonic()
        sound_s = sum(self._length_s(message) for message in messages)
        if sound_s:
            self._date(now, sound_s)
        for message in messages:
            self._take(message)

    def _date(self, now: float, sound_s: float) -> None:
        """So much sound comes now: move on to when it was spoken."""
        pause = now - self._arrived - sound_s if self._arrived is not None else 0.0
        self._arrived = now
        if pause > PAUSE_S:
            self._timeline.leave_out(pause)
        else:
            pause = 0.0
        settling = self._timeline.settling(now)
        missing = self._timeline.missing(now, sound_s)
        if missing and not settling:
            self.lost += 1
            metrics.FRAMES.labels("missing").inc()
            self._sequence += 1
        self._timestamp += round((pause + missing) * self.codec.clock_hz)

    def _length_s(self, message: Message) -> float:
        codec = CODECS.get(message.kind)  # type: ignore[call-overload]  # an IntEnum is found by its number
        if codec is None:
            return 0.0
        return codec.ticks(message.payload) / codec.rate_hz if message.payload else FRAME_S

    def _take(self, message: Message) -> None:
        if message.kind in CODECS:
            self._take_sound(Kind(message.kind), message.payload)
        elif message.kind == Kind.HANGUP:
            self._leave("hangup")
        elif message.kind == Kind.ERROR:
            metrics.FRAMES.labels("error").inc()
            self._leave("failed")
        elif message.kind == Kind.DTMF:
            # Digits come as events of the REST interface, too, and are passed on there.
            digit = message.payload.decode("ascii", "replace")
            if len(digit) == 1 and digit in DIGITS:
                self._pressed(digit)
        else:
            self.malformed += 1
            metrics.FRAMES.labels("unknown").inc()

    def _take_sound(self, kind: Kind, payload: bytes) -> None:
        if kind is not self._kind:
            # Another rate is another stream.
            self._kind, self._ssrc = kind, secrets.randbits(32)
            self._rest.clear()
            if self.ready and self.on_recoded and not self._left:
                # It said nothing for so long that the call began without knowing: it is answered in its own kind.
                self.on_recoded()
        self._become_ready()
        codec = CODECS[kind]
        if not payload:
            self.lost += 1
            metrics.FRAMES.labels("lost").inc()
            self._sequence += 1
            self._timestamp += codec.frame_samples
            return
        if len(payload) % 2:
            self.malformed += 1
            metrics.FRAMES.labels("odd").inc()
            return
        self._rest += payload
        while len(self._rest) >= codec.frame_bytes:
            frame = bytes(self._rest[: codec.frame_bytes])
            del self._rest[: codec.frame_bytes]
            self._heard(
                Packet(kind, self._sequence & 0xFFFF, self._timestamp & 0xFFFFFFFF, self._ssrc, frame)
            )
            self._sequence += 1
            self._timestamp += codec.frame_samples

    @property
    def takes_digits(self) -> bool:
        return self.on_press is not None

    def press(self, digit: str) -> bool:
        if self.on_press is None or self._left:
            return False
        self.on_press(digit)
        return True

    def rest(self, on: bool) -> None:
        """The peer has put the other party on hold, or takes the call up again."""
        self._rests = on

    def ring(self) -> None:
        """The peer waits for somebody to answer: let it ring until there is sound."""
        self._ringing = Ringing()

    @property
    def held(self) -> bool:
        """Whether the peer said that it sends nothing for now."""
        return self._rests

    def gone(self, cause: str) -> None:
        """The peer is gone, by whatever way it was noticed."""
        self._leave(cause)

    # What goes out.

    def _transmit(self, packet: Packet) -> None:
        if not packet.payload:
            # It would end the call; left out, it is filled in when the next one comes.
            return
        codec = CODECS[Kind(packet.payload_type)]
        concealer = self._concealers.setdefault(packet.payload_type, Concealer(codec.rate_hz))
        if self._last_out is not None and (missing := (packet.sequence - self._last_out - 1) & 0xFFFF):
            # There is no place for a hole on this wire: what is not sent shortens the call.
            for _ in range(missing if missing <= MAX_CONCEALED else 0):
                self._write(packet.payload_type, codec.encode(concealer.hole(codec.frame_samples)))
        self._last_out = packet.sequence
        concealer.good(codec.decode(packet.payload))
        self._spoken = True
        self._write(packet.payload_type, packet.payload)

    def _write(self, kind: int, payload: bytes) -> None:
        if self._wire.is_closing():
            return
        behind = self._wire.get_write_buffer_size()
        if behind > MAX_BEHIND_FRAMES * (HEADER_BYTES + len(payload)):
            self.choked += 1
            metrics.FRAMES.labels("unread").inc()
            return
        self._wire.write(build(kind, payload))

    def _pace(self) -> None:
        """Silence until there is sound; afterwards, a look now and then at whether the peer still reads."""
        if self._left or self._wire.is_closing():
            return
        now = self.clock.monotonic()
        if not self._spoken:
            silence = bytes(self.codec.frame_bytes)
            self._write(self._kind, self._ringing.frame(self.codec) if self._ringing else silence)
            if now - self._began >= READY_S:
                self._become_ready()
        if self._wire.get_write_buffer_size() == 0:
            # A caller who is on hold sends nothing; a peer that reads is there.
            self.last_heard = now
        loop = asyncio.get_running_loop()
        # In step, so that a tone is one; what was missed is not made up for.
        self._due = max(self._due + (LOOK_EVERY_S if self._spoken else FRAME_S), loop.time())
        self._timer = loop.call_at(self._due, self._pace)

    def tell(self, message: Mapping[str, object]) -> None:
        if message.get("t") == "bye" and not self.over.done():
            self.over.set_result(str(message.get("cause", "")))

    async def close(self) -> None:
        self._left = True
        if self._timer:
            self._timer.cancel()
        if not self.over.done():
            self.over.set_result("closed")
        if not self._wire.is_closing():
            self._wire.write(build(Kind.HANGUP))
            self._wire.close()
            asyncio.get_running_loop().call_later(GOODBYE_S, self._wire.abort)
