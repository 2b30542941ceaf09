"""Telephones by the dozen: legs on plain RTP that talk by the clock and note when what they hear came in, by the kernel's
own time. For benchmarks.media_capacity."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audio import rtp
from audio.codecs import PCMA
from audio.rtp import HEADER
from callsvc.media import realtime
from callsvc.telephony import client, sdp

FRAME_S = 0.020
HOST = "127.0.0.1"
SO_TIMESTAMPNS = 35
_TIME = struct.Struct("@qq")


@dataclass
class Telephone:
    """One leg: a socket, what it says over and over, and what it noted."""

    socket: socket.socket
    peer: tuple[str, int]
    frames: list[bytes]
    arrivals: list[tuple[int, int, float]] = field(default_factory=list)
    """SSRC, timestamp and time of day of each packet."""
    passed: list[tuple[bytes, float]] = field(default_factory=list)
    """How each payload began, and when it came."""
    sent: dict[bytes, float] = field(default_factory=dict)
    """When each payload went out last; payloads are told apart by a number in them."""
    listening: bool = False
    _count: int = 0
    _ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    _packet: bytearray = field(default_factory=lambda: bytearray(HEADER.size + PCMA.frame_samples))

    def say(self) -> None:
        """Send the next frame."""
        count, packet = self._count, self._packet
        payload = self.frames[count % len(self.frames)]
        timestamp = count * PCMA.frame_samples & 0xFFFFFFFF
        HEADER.pack_into(packet, 0, rtp.VERSION << 6, 8, count & 0xFFFF, timestamp, self._ssrc)
        packet[HEADER.size :] = payload
        self._count += 1
        self.socket.send(packet)
        if self.listening:
            self.sent[payload[:16]] = time.time()

    def hear(self) -> None:
        """Take everything that has come."""
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if not self.listening or rtp.is_rtcp(data):
                continue
            seconds, nanoseconds = _TIME.unpack(ancillary[0][2][: _TIME.size])
            _, _, _, timestamp, ssrc = HEADER.unpack_from(data)
            self.arrivals.append((ssrc, timestamp, seconds + nanoseconds / 1e9))
            self.heard_payload(data[HEADER.size :], seconds + nanoseconds / 1e9)

    def heard_payload(self, payload: bytes, at: float) -> None:
        """Note the beginning of the payload, to see how long one that was passed on was under way."""
        self.passed.append((payload[:16], at))

    def lateness_s(self) -> NDArray[np.float64]:
        """How much later than in step each packet came; the earliest is in step."""
        if not self.arrivals:
            return np.zeros(0)
        times = np.array([at for _, _, at in self.arrivals])
        ticks = np.array([timestamp for _, timestamp, _ in self.arrivals], np.int64)
        ticks = (ticks - ticks[0] + (1 << 31)) % (1 << 32) - (1 << 31)
        out_of_step: NDArray[np.float64] = times - ticks / PCMA.clock_hz
        late: NDArray[np.float64] = out_of_step - out_of_step.min()
        return late

    @property
    def packets(self) -> int:
        return len(self.arrivals)

    async def close(self) -> None:
        self.socket.close()

    def forget(self) -> None:
        self.arrivals, self.passed, self.sent = [], [], {}


async def telephone(url: str, token: str, frames: list[bytes]) -> Telephone:
    """Join a leg by plain RTP."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind((HOST, 0))
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    offer = sdp.plain(HOST, bound.getsockname()[1], {8: PCMA}, secrets.randbits(31))
    agreed = sdp.parse((await client.signal(url, token, offer)).encode())
    bound.connect((agreed.host, agreed.port))
    return Telephone(bound, (agreed.host, agreed.port), frames)


class Party(Protocol):
    """Somebody who talks by the clock."""

    listening: bool

    @property
    def packets(self) -> int: ...

    def say(self) -> None: ...

    def hear(self) -> None: ...

    def forget(self) -> None: ...

    def lateness_s(self) -> NDArray[np.float64]: ...

    async def close(self) -> None: ...


def claim() -> None:
    """Real-time scheduling before anybody else's, nodes' own included: whoever has a turn keeps it for 100 ms, and a load that
    waited for one of them would be late for all its calls. A refusal is no error; how late the load was is on record.
    """
    priority = os.sched_param(realtime.PRIORITY + 10)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, priority)


class Load:
    """Everybody talks, each at a phase of its own, from being added to the end: nobody stumbles when somebody joins."""

    def __init__(self) -> None:
        self.legs: list[Party] = []
        self.late_s: list[float] = []
        """How late the load itself was at each turn since `forget`."""
        self.also: Callable[[], None] = lambda: None
        """Done every 5 ms, too."""

    def forget(self) -> None:
        """Begin to measure: what is loaded stays, and the garbage collector holds nobody up while it is measured."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self.late_s = []

    @property
    def worst_s(self) -> float:
        return max(self.late_s, default=0.0)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for turn in itertools.count():
            self.late_s.append(loop.time() - due)
            for leg in self.legs[turn % 4 :: 4]:
                leg.say()
            for leg in self.legs if turn % 4 == 3 else ():
                leg.hear()
            self.also()
            due += FRAME_S / 4
            await asyncio.sleep(max(0.0, due - loop.time()))


@contextlib.asynccontextmanager
async def talking() -> AsyncIterator[Load]:
    """A load that runs until one leaves."""
    load = Load()
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
