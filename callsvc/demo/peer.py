"""One party of a call as a process of its own: `python -m callsvc.demo.peer`.

It joins its leg as any client does, plays a file into the call, writes down what it hears, and says how it went.

    stdin    one JSON line: what to do (`Task`); later `go` to begin playing, `bye` to hang up
    stdout   JSON lines: {"t": "ready"}, {"t": "state", ...} from the node, {"t": "played"}, {"t": "left", ...}

Both parties run on one machine and read one monotonic clock, so that the way through the service can be timed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audio import codecs, files
from audio.codecs import Codec
from audio.rtp import Packet
from audio.taps import Samples
from callsvc.clock import Clock, SystemClock
from callsvc.media import realtime
from callsvc.telephony import client, ice
from callsvc.telephony.connection import Connection

FRAME_S = 0.020
TAIL_S = 1.0
"""Silence after the file, so that its end is heard."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a party does. `heard` is written as WAV, `notes` as JSON (`Notes`)."""

    url: str
    token: str
    transport: str
    codec: str
    play: str
    heard: str
    notes: str
    host: str = "127.0.0.1"


@dataclass(slots=True)
class Notes:
    """What a party noticed. Times are of the machine's monotonic clock; payloads are digests in order."""

    codec: str = ""
    rate_hz: int = 0
    played_at: float | None = None
    """When the file's first sample was due to be sent."""
    heard_from: float = 0.0
    """Where the file with what was heard begins. Each frame lies in it where its timestamp says; the first sample is
    dated so that the fastest frame has its place when it came in."""
    sent: list[str] = field(default_factory=list)
    """The file's payloads alone."""
    received: list[str] = field(default_factory=list)
    """Everything that came, in order of arrival."""
    states: list[dict[str, object]] = field(default_factory=list)
    left: str = ""


class Party:
    """A leg's far end: plays, listens, takes notes."""

    def __init__(self, task: Task, clock: Clock, orders: asyncio.StreamReader) -> None:
        self._task = task
        self._clock = clock
        self._orders = orders
        self._heard: list[tuple[float, Packet]] = []
        self.notes = Notes()
        self.ready = asyncio.Event()
        self.go = asyncio.Event()
        self.gone = asyncio.Event()

    # What the connection tells.

    def on_ready(self) -> None:
        self.ready.set()

    def on_channel(self) -> None:
        """Messages can flow; the node speaks first."""

    def on_packet(self, packet: Packet, now: float) -> None:
        self._heard.append((now, packet))

    def on_message(self, message: Mapping[str, object]) -> None:
        if message.get("t") == "state":
            self.notes.states.append(dict(message))
            say(dict(message))

    def on_left(self, cause: str) -> None:
        self.notes.left = cause
        self.gone.set()

    # What it does.

    async def run(self) -> None:
        """Join, wait for `go`, play, stay until told `bye` or the other is gone; then write everything down."""
        task = self._task
        codec = codecs.by_name(task.codec)
        frames = await asyncio.to_thread(
            list, files.blocks(Path(task.play), codec.rate_hz, codec.frame_samples)
        )
        connection = await self._join(codec)
        try:
            self.notes.codec, self.notes.rate_hz = connection.codec.name, connection.codec.rate_hz
            # A phone is not late because another program is busy.
            realtime.claim()
            realtime.settle()
            connection.listen(self)
            await self.ready.wait()
            say({"t": "ready"})
            async with asyncio.TaskGroup() as group:
                playing = group.create_task(self._play(connection, codec, frames))
                told = group.create_task(self._obey(connection))
                await self.gone.wait()
                for one in (playing, told):
                    one.cancel()
        finally:
            await connection.close()
        await asyncio.to_thread(self._write, connection.codecs)
        say({"t": "left", "cause": self.notes.left})

    async def _join(self, codec: Codec) -> Connection:
        ice.use_only([self._task.host])
        if self._task.transport == "webrtc":
            return await client.join_webrtc(self._task.url, self._task.token, self._clock, [codec])
        return await client.join_rtp(self._task.url, self._task.token, self._clock, [codec], self._task.host)

    async def _play(self, connection: Connection, codec: Codec, frames: list[Samples]) -> None:
        """A frame each 20 ms by the clock: silence until `go`, then the file, then silence again."""
        encoder = codec.encoder()
        silence: Samples = np.zeros(codec.frame_samples, np.int16)
        begun = self._clock.monotonic()
        sent, place, tail = 0, -1, round(TAIL_S / FRAME_S)
        while True:
            if place < 0 and self.go.is_set():
                place, self.notes.played_at = 0, begun + sent * FRAME_S
            of_file = 0 <= place < len(frames)
            payload = encoder.encode(frames[place] if of_file else silence)
            if of_file:
                self.notes.sent.append(_digest(payload))
            connection.send_frame(codec, payload)
            if place >= 0:
                place += 1
                if place == len(frames) + tail:
                    say({"t": "played"})
            sent += 1
            await asyncio.sleep(max(0.0, begun + sent * FRAME_S - self._clock.monotonic()))

    async def _obey(self, connection: Connection) -> None:
        while True:
            order = await self._orders.readline()
            if order == b"go\n":
                self.go.set()
            elif order == b"bye\n":
                connection.tell({"t": "hangup"})
            elif not order:
                # Whoever started this process is gone.
                self.gone.set()
                return

    def _write(self, agreed: Mapping[int, Codec]) -> None:
        self.notes.received = [_digest(packet.payload) for _, packet in self._heard]
        known = [(at, packet) for at, packet in self._heard if packet.payload_type in agreed]
        sound, self.notes.heard_from = heard(known, agreed, self.notes.rate_hz)
        with files.WavWriter(Path(self._task.heard), self.notes.rate_hz) as writer:
            writer.write(sound)
        Path(self._task.notes).write_text(json.dumps(asdict(self.notes)), encoding="utf-8")


def heard(
    packets: Sequence[tuple[float, Packet]], agreed: Mapping[int, Codec], rate_hz: int
) -> tuple[Samples, float]:
    """What came in, each frame at the place that its timestamp gives it, and when the first sample would have come.

    What never came is silence.
    """
    if not packets:
        return np.zeros(0, np.int16), 0.0
    first = packets[0][1].timestamp
    decoders = {number: codec.decoder() for number, codec in agreed.items()}
    parts: list[tuple[int, Samples]] = []
    begins: list[float] = []
    in_order = sorted(packets, key=lambda one: _since(first, one[1].timestamp))
    earliest = _since(first, in_order[0][1].timestamp)
    for at, packet in in_order:
        codec = agreed[packet.payload_type]
        place = _since(first, packet.timestamp) - earliest
        begins.append(at - place / codec.clock_hz)
        parts.append(
            (place * rate_hz // codec.clock_hz, decoders[packet.payload_type].decode(packet.payload))
        )
    whole: Samples = np.zeros(max(place + len(part) for place, part in parts), np.int16)
    for place, part in parts:
        whole[place : place + len(part)] = part
    return whole, min(begins)


def _since(first: int, timestamp: int) -> int:
    """Ticks from one timestamp to another, which wrap at 32 bits."""
    return (timestamp - first + (1 << 31)) % (1 << 32) - (1 << 31)


def say(message: dict[str, Any]) -> None:
    """Tell whoever started this process."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()[:16]


async def _main() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    task = Task(**json.loads(await orders.readline()))
    await Party(task, SystemClock(), orders).run()


if __name__ == "__main__":
    asyncio.run(_main())
