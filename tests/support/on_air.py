"""A site on which calls really happen: media node, broker, database and pages; and somebody who calls by telephone.

on_air(conninfo, base)   Served with a node: its events reach the database as in the service
Telephone                a caller on plain RTP, in a thread of its own: says something, keeps what it hears
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import pytest

from audio.codecs import PCMA
from audio.rtp import Packet
from audio.taps import Samples
from callsvc.clock import SystemClock
from callsvc.ids import new_id
from callsvc.store import calls
from callsvc.telephony import client, tokens
from callsvc.types import Leg, Profile
from callsvc.web.process import take_events
from tests.support.node import Node, running_node
from tests.support.packets import FRAME_S, payloads
from tests.support.peers import Mosquitto
from tests.support.web import Served, serving

T = TypeVar("T")
HOST = "127.0.0.1"


@dataclass
class OnAir:
    """Pages and node on one data directory."""

    site: Served
    node: Node

    def call(self, profile: Profile = Profile.REPORT) -> UUID:
        """A call that is there to be joined, as a gateway would have made it."""
        call_id = new_id()
        now = self.site.clock.utc_now()
        self.site.run(lambda conn: calls.create(conn, call_id, profile, at=now))
        return call_id

    def token(self, call_id: UUID, leg: Leg, profile: Profile = Profile.REPORT) -> str:
        now = self.site.clock.utc_now()
        key = self.site.site.token_key
        return tokens.issue(key, now, call=str(call_id), leg=leg, profile=profile, subject="somebody")


@contextmanager
def on_air(conninfo: str, base: Path, **environment: str) -> Iterator[OnAir]:
    """All of it, on free ports; stopped at the end. `environment` is more for the node."""
    broker = Mosquitto(base)
    broker.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CALLSVC_MQTT__URL", f"mqtt://127.0.0.1:{broker.port}")
            with running_node(base, **environment) as node, serving(conninfo, node.data_dir) as site:
                taking = asyncio.run_coroutine_threadsafe(take_events(site.site), site.loop)
                try:
                    yield OnAir(site, node)
                finally:
                    taking.cancel()
    finally:
        broker.kill()


class Telephone:
    """A telephone that has called."""

    def __init__(self, air: OnAir, call_id: UUID, says: Samples) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.call = call_id
        self._says = says
        self.heard: list[Packet] = []
        self.left = threading.Event()
        url = air.node.leg_url(str(call_id), Leg.CALLER)
        self._phone = self._wait(
            client.join_rtp(url, air.token(call_id, Leg.CALLER), SystemClock(), [PCMA], HOST)
        )
        self._loop.call_soon_threadsafe(self._phone.listen, self)
        self._speaking = asyncio.run_coroutine_threadsafe(self._speak(), self._loop)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _speak(self) -> None:
        """The same over and over, a frame each 20 ms by the clock."""
        frames = list(payloads(self._says))
        begun, n = self._loop.time(), 0
        while True:
            self._phone.send_frame(PCMA, frames[n % len(frames)])
            n += 1
            await asyncio.sleep(max(0.0, begun + n * FRAME_S - self._loop.time()))

    def sound(self) -> Samples:
        """What was heard so far, 8000 a second."""
        decoder = PCMA.decoder()
        parts = [decoder.decode(packet.payload) for packet in list(self.heard)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def close(self) -> None:
        self._speaking.cancel()
        self._wait(self._phone.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    # What the connection tells.

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        self.heard.append(packet)

    def on_message(self, message: object) -> None: ...

    def on_left(self, cause: str) -> None:
        self.left.set()
