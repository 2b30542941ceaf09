"""One party to a call: microphone from a file, ears into a file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.files import WavWriter, blocks
from audio.jitter import Depth
from audio.receive import Receiver
from audio.rtp import Packet
from audio.taps import Samples
from callsvc.clock import Clock
from callsvc.telephony.connection import Connection

FRAME_S = 0.020
LINGER_S = 1.0
EARS = Depth(start=0.120, least=0.120, most=0.120)
"""Deep and constant: this party measures what it hears and when, so nothing of it may move."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a party does."""

    play: Path
    record: Path
    rate_hz: int
    """Of the recording."""
    hang_up: bool
    """Hang up when the file is over; otherwise stay until the other side does."""
    limit_s: float
    keys_s: Sequence[float] = ()
    """When keys are pressed, in seconds of the file; told on the side channel."""


def say(event: str, **fields: object) -> None:
    """Print one line for whoever started this process."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


class Party:
    """Plays and records over a connection until the call is over."""

    def __init__(self, connection: Connection, script: Script, clock: Clock) -> None:
        self._connection = connection
        self._script = script
        self._clock = clock
        self._codec = connection.codec
        self._encoder = self._codec.encoder()
        self._receiver = Receiver(connection.codecs, script.rate_hz, EARS)
        self._live = asyncio.Event()
        self._ready = asyncio.Event()
        self._left = asyncio.Event()
        self._cause = ""
        self._sent = 0
        self._playing_at: int | None = None

    # What the connection says.

    def on_ready(self) -> None:
        self._ready.set()
        say("joined", transport=self._connection.transport, codec=self._codec.name)

    def on_packet(self, packet: Packet, now: float) -> None:
        self._receiver.put(packet, now)
        if self._connection.transport == "rtp":
            # The node sends once the call is live; on plain RTP that is all there is to know it by.
            self._go_live()

    def on_channel(self) -> None:
        return None

    def on_message(self, message: Mapping[str, object]) -> None:
        if message.get("t") == "state":
            say("state", **{name: value for name, value in message.items() if name != "t"})
            if message.get("state") == "live":
                self._go_live()
        elif message.get("t") == "bye":
            self._cause = str(message.get("cause", ""))
            self._left.set()

    def on_left(self, cause: str) -> None:
        self._cause = self._cause or cause
        self._left.set()

    def _go_live(self) -> None:
        if not self._live.is_set():
            self._live.set()
            say("live")

    # What the party does.

    async def run(self) -> int:
        """The whole call; 0 when the file was played to its end, 1 when not."""
        self._connection.listen(self)
        played = False
        with WavWriter(self._script.record, self._script.rate_hz) as recording:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._script.limit_s):
                    played = await self._speak_and_listen(recording)
            await self._connection.close()
            counts = self._receiver.counts
            say("left", cause=self._cause or "hangup")
            say(
                "result",
                played=played,
                playing_at=self._playing_at,
                recorded_samples=recording.written,
                rate_hz=self._script.rate_hz,
                packets_out=self._sent,
                packets_in=counts.received,
                lost=counts.lost,
                late=counts.late,
                depth_ms=round(self._receiver.depth_s * 1000, 1),
            )
        return 0 if played else 1

    async def _speak_and_listen(self, recording: WavWriter) -> bool:
        silence = np.zeros(self._codec.frame_samples, np.int16)
        frames = self._frames()
        played = False
        linger = LINGER_S
        async for now in self._every_frame():
            for heard in self._receiver.pop(now):
                if heard.played:
                    recording.write(heard.samples)
            if not self._ready.is_set():
                continue
            frame = next(frames, None) if self._live.is_set() else silence
            if frame is None:
                if not played:
                    played = True
                    say("played")
                frame = silence
                linger -= FRAME_S
                if self._script.hang_up and linger <= 0:
                    self._connection.tell({"t": "hangup"})
                    return True
            elif frame is not silence and self._playing_at is None:
                self._playing_at = recording.written
                say("playing", recorded_samples=recording.written)
            self._connection.send_frame(self._codec, self._encoder.encode(frame))
            self._sent += 1
        return played

    async def _every_frame(self) -> AsyncIterator[float]:
        """The time, each 20 ms, until the call is over."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._left.is_set():
            yield self._clock.monotonic()
            due += FRAME_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._left.wait()

    def _frames(self) -> Iterator[Samples]:
        keys = iter(sorted(self._script.keys_s))
        following = next(keys, None)
        for index, block in enumerate(
            blocks(self._script.play, self._codec.rate_hz, self._codec.frame_samples)
        ):
            while following is not None and following < (index + 1) * FRAME_S:
                self._connection.tell({"t": "key", "at_ms": round(following * 1000)})
                following = next(keys, None)
            yield block
