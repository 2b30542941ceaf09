"""How soon an operator whose page was reloaded, or who roams, hears the caller again.

    python -m benchmarks.media_rejoin [--times 10]

A caller at a telephone, an operator by WebRTC. The operator's connection is closed without a word, as a browser does it when
a page is left, and joined again with a token of the same person. Measured is from then to the first sound on the new
connection, the token's signature, ICE, DTLS and all; what Chromium itself takes to load a page is its own. The peer is
the first joining of a call. Results go to benchmarks/results/media-rejoin.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from audio.codecs import OPUS, PCMA
from audio.rtp import Packet
from benchmarks import rtp_load
from benchmarks.media_capacity import frames
from benchmarks.rtp_load import talking
from callsvc.clock import SystemClock
from callsvc.telephony import client, ice
from callsvc.telephony.webrtc import WebRtcConnection
from callsvc.types import Leg
from tests.support.node import Node, running_node

RESULT = Path(__file__).with_name("results") / "media-rejoin.json"
TARGET_S = 2.0
PATIENCE_S = 30.0
LOUD = 8


@dataclass
class Ear:
    """Notes when the caller was first heard."""

    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        if packet.payload_type == LOUD:
            self.heard.set()

    def on_message(self, message: Mapping[str, object]) -> None: ...

    def on_left(self, cause: str) -> None: ...


async def join(node: Node, call: str) -> tuple[WebRtcConnection, float]:
    """The operator joins; how long until the caller is heard."""
    began = time.monotonic()
    url, token = node.leg_url(call, Leg.OPERATOR), node.token(call, Leg.OPERATOR)
    connection = await client.join_webrtc(url, token, SystemClock(), [OPUS, PCMA])
    ear = Ear()
    connection.listen(ear)
    async with asyncio.timeout(PATIENCE_S):
        await ear.heard.wait()
    return connection, time.monotonic() - began


async def measure(times: int) -> dict[str, Any]:
    ice.use_only(["127.0.0.1"])
    first: list[float] = []
    again: list[float] = []
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder)) as node:
        for _ in range(times):
            call = str(uuid4())
            caller = await rtp_load.telephone(
                node.leg_url(call, Leg.CALLER), node.token(call, Leg.CALLER), frames()[0]
            )
            async with talking() as load:
                load.legs.append(caller)
                connection, took = await join(node, call)
                first.append(took)
                await asyncio.sleep(1.0)
                began = time.monotonic()
                await connection.close()
                connection, _ = await join(node, call)
                again.append(time.monotonic() - began)
            await client.hang_up(node.leg_url(call, Leg.CALLER), node.token(call, Leg.CALLER))
            await connection.close()
            await caller.close()
            print(json.dumps({"first_s": round(first[-1], 3), "again_s": round(again[-1], 3)}), flush=True)
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "peer": "the first joining of the same call",
        "times": times,
        "first_median_s": round(statistics.median(first), 3),
        "again_median_s": round(statistics.median(again), 3),
        "again_worst_s": round(max(again), 3),
        "target_s": TARGET_S,
        "met": max(again) <= TARGET_S,
        "ratio": round(statistics.median(again) / statistics.median(first), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=10)
    result = asyncio.run(measure(parser.parse_args().times))
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
