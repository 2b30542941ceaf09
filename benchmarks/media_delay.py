"""How late the caller hears the operator, and what a call costs, against a node of stock aiortc in the same run.

    python -m benchmarks.media_delay [--seconds 24]

An operator (Opus) and a caller (PCMA) talk by WebRTC through our node, suppressor and recording on, and then through
a stock one. In the middle one packet of the operator's is lost. Delay is from the moment a sample is sent to the
moment it comes in at the caller, found by correlation of stretches of 0.4 s. Processor time is the node's own.
Results go to benchmarks/results/media-delay.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from aiortc import RTCSessionDescription
from numpy.typing import NDArray
from scipy.signal import correlate

from audio.codecs import OPUS, PCMA, Codec
from audio.resample import rounded, whole
from audio.rtp import Packet
from audio.taps import Samples
from callsvc.clock import SystemClock
from callsvc.demo.composition import compose
from callsvc.media import realtime
from callsvc.telephony import client, ice
from callsvc.telephony.webrtc import WebRtcConnection
from callsvc.types import Leg
from tests.support.node import running_node

FRAME_S = 0.020
STRETCH_S = 0.4
TARGET_MS = 70.0
"""20 ms in the suppressor, 40 in the jitter buffer, 10 for all else."""
WITHIN_S = 100.0
"""Beside the two talks."""
RATE = 8000
RESULT = Path(__file__).with_name("results") / "media-delay.json"

Signal = Callable[[Leg, str], Awaitable[str]]


@dataclass
class Ear:
    """Keeps what comes in and when."""

    heard: list[tuple[float, Packet]] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def on_ready(self) -> None:
        self.ready.set()

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        self.heard.append((now, packet))

    def on_message(self, message: Mapping[str, object]) -> None: ...

    def on_left(self, cause: str) -> None: ...


@dataclass(frozen=True)
class Talk:
    """One call: when each frame of the source was sent, what was heard, and what the node used."""

    source: Samples
    sent: list[float]
    heard: list[tuple[float, Packet]]
    cpu_s: float
    lost_at_s: float


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def connect(leg: Leg, signal: Signal, spoken: Sequence[Codec] = ()) -> tuple[WebRtcConnection, Ear]:
    spoken = spoken or ((OPUS,) if leg is Leg.OPERATOR else (PCMA,))
    peer, transceiver, channel = await client.offer_of(spoken)
    answer = await signal(leg, peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    connection = WebRtcConnection(peer, transceiver, SystemClock())
    connection.use_channel(channel)
    ear = Ear()
    connection.listen(ear)
    return connection, ear


async def talk(pid: int, signal: Signal, sound: Samples) -> Talk:
    """Place a call and let the operator speak."""
    operator, at_operator = await connect(Leg.OPERATOR, signal)
    caller, at_caller = await connect(Leg.CALLER, signal)
    await asyncio.gather(at_operator.ready.wait(), at_caller.ready.wait())
    encoder, silence = OPUS.encoder(), PCMA.encoder().encode(np.zeros(160, np.int16))
    count = len(sound) // OPUS.frame_samples
    frames = [encoder.encode(sound[n * 960 : (n + 1) * 960]) for n in range(count)]
    quiet = OPUS.encoder().encode(np.zeros(960, np.int16))
    loop, sent, lost = asyncio.get_running_loop(), [], count // 2
    lead = 150
    due = loop.time()
    cpu = 0.0
    for n in range(-lead, count):
        if n == 0:
            cpu = cpu_of(pid)
        if n >= 0:
            sent.append(loop.time())
        if n == lost:
            operator._out.frame(96, b"", 960, 0.0)
        else:
            operator.send_frame(OPUS, frames[n] if n >= 0 else quiet)
        caller.send_frame(PCMA, silence)
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))
    cpu = cpu_of(pid) - cpu
    await asyncio.sleep(0.6)
    await asyncio.gather(operator.close(), caller.close())
    source = rounded(whole(sound.astype(np.float32), 48_000, RATE))
    return Talk(source, sent, at_caller.heard, cpu / (count * FRAME_S), lost * FRAME_S)


def delays(one: Talk) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each stretch with a voice in it: where it lies in the source, and its delay, both in seconds."""
    decoder = PCMA.decoder()
    parts = [decoder.decode(packet.payload).astype(float) for _, packet in one.heard if packet.payload]
    starts = np.cumsum([0, *[len(part) for part in parts]])
    heard, source = np.concatenate(parts), one.source.astype(float)
    loud = np.sqrt(np.mean(source**2))
    step = round(STRETCH_S * RATE)
    places, found = [], []
    for start in range(0, len(source) - step, step // 2):
        part = source[start : start + step]
        if np.sqrt(np.mean(part**2)) < loud:
            continue
        cross = np.abs(correlate(heard, part, "valid"))
        at = int(cross.argmax())
        if cross[at] < 0.7 * np.sqrt(np.sum(part**2) * np.sum(heard[at : at + step] ** 2)):
            continue
        frame = int(np.searchsorted(starts, at, "right")) - 1
        came = one.heard[frame][0] + (at - starts[frame]) / RATE
        went = one.sent[start // 160] + (start % 160) / RATE
        places.append(start / RATE)
        found.append(came - went)
    return np.array(places), np.array(found)


@contextlib.asynccontextmanager
async def ours(folder: Path) -> AsyncIterator[tuple[int, Signal]]:
    with running_node(folder) as node:
        call = str(uuid4())

        async def signal(leg: Leg, offer: str) -> str:
            return await client.signal(node.leg_url(call, leg), node.token(call, leg), offer)

        yield node.process.pid, signal


@contextlib.asynccontextmanager
async def stock() -> AsyncIterator[tuple[int, Signal]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.stock_node"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reading, writing = process.stdout, process.stdin

    async def signal(leg: Leg, offer: str) -> str:
        writing.write(json.dumps({"sdp": offer}).encode() + b"\n")
        answer: str = json.loads(await reading.readline())["sdp"]
        return answer

    try:
        yield process.pid, signal
    finally:
        writing.close()
        await process.wait()


def figures(one: Talk) -> dict[str, Any]:
    places, found = delays(one)
    before, after = found[places < one.lost_at_s - STRETCH_S], found[places > one.lost_at_s + 1.0]
    return {
        "delay_ms": round(float(np.median(before)) * 1000, 1),
        "delay_p99_ms": round(float(np.percentile(before, 99)) * 1000, 1),
        "delay_after_one_loss_ms": round(float(np.median(after)) * 1000, 1),
        "stretches": len(found),
        "cpu_s_per_call_s": round(one.cpu_s, 4),
    }


async def measure(seconds: float, found: dict[str, dict[str, Any]]) -> None:
    """Fill `found`: ours, then theirs."""
    ice.use_only(["127.0.0.1"])
    sound = rounded(np.asarray(compose().cut(seconds).operator, np.float32) * np.float32(32768.0))
    realtime.claim()
    with tempfile.TemporaryDirectory() as folder:
        async with ours(Path(folder)) as (pid, signal):
            found["ours"] = figures(await talk(pid, signal, sound))
    async with stock() as (pid, signal):
        found["theirs"] = figures(await talk(pid, signal, sound))


def results(seconds: float, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ratio = {}
    if len(found) == 2:
        ratio = {
            name: round(found["ours"][name] / found["theirs"][name], 2)
            for name in ("delay_ms", "delay_p99_ms", "delay_after_one_loss_ms", "cpu_s_per_call_s")
        }
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "peer": f"aiortc {version('aiortc')}, decoding and encoding",
        "seconds": seconds,
        "target_delay_p99_ms": TARGET_MS,
        "met": found.get("ours", {}).get("delay_p99_ms", float("inf")) <= TARGET_MS,
        **found,
        "ratio": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=24.0)
    seconds = parser.parse_args().seconds
    found: dict[str, dict[str, Any]] = {}
    try:
        asyncio.run(asyncio.wait_for(measure(seconds, found), 2 * seconds + WITHIN_S))
    finally:
        result = results(seconds, found)
        print(json.dumps(result, indent=1))
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
