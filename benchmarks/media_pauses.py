"""How long the garbage collector holds up a node with calls, with and without what the node does against it.

    python -m benchmarks.media_pauses [--calls 20] [--seconds 120]

A process that has loaded everything a media node has carries calls from packets to taps, on a clock of its own, and notes
each pause of the collector. Each second one call ends and another begins, and leaves what a leg by WebRTC does. Then the same once more after `realtime.settle`, which every node does before its first call:
what is loaded is frozen, and the collector looks less often. The peer is the process that does not. Results go to
benchmarks/results/media-pauses.json.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from audio.codecs import PCMA
from audio.rtp import Packet
from callsvc import logs
from callsvc.media import node, realtime
from callsvc.telephony.policies import LinePolicy
from callsvc.telephony.switchboard import take_apart
from tests.support.calls import TICK_S, TwoLegs
from tests.support.long_call import LeanTapes
from tests.support.packets import babble, payloads

RESULT = Path(__file__).with_name("results") / "media-pauses.json"
TARGET_MS = 1.0
"""A tenth of the time from one wake of the node to the next."""
LEFT = 300
"""Objects of aiortc's that know one another and outlast a call: as many were counted."""


class Pauses:
    """Notes each time that the collector is at work, in processor time: who else has the core is none of its doing."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._began = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.took.append(time.thread_time() - self._began)


def leave() -> None:
    """Something for the collector to find."""
    ring: list[list[object]] = [[] for _ in range(LEFT)]
    for one, following in pairwise([*ring, ring[0]]):
        one.append(following)


async def one(settled: bool, calls: int, seconds: float) -> dict[str, Any]:
    """Calls in this process, and what the collector did meanwhile."""
    assert node.Node is not None  # what a node has loaded, this process has
    frames = payloads(babble(8000, 2.0), PCMA)
    policy = LinePolicy(record=True, keep_raw=False)

    def begin() -> TwoLegs:
        return TwoLegs(tapes=LeanTapes(), policy=policy).join()

    running = [begin() for _ in range(calls)]
    if settled:
        realtime.settle()
    pauses = Pauses()
    gc.callbacks.append(pauses)
    for tick in range(round(seconds / TICK_S)):
        number, sends = divmod(tick, 2)
        if tick % round(1 / TICK_S) == 0:
            over = round(tick * TICK_S) % calls
            running[over].call.end("hangup")
            take_apart(running[over].call)
            running[over].over.clear()
            leave()
            running[over] = begin()
        for legs in running:
            if not sends:
                packet = Packet(
                    8, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 7, frames[number % len(frames)]
                )
                legs.caller.hear(packet)
                legs.operator.hear(packet)
            legs.clock.advance(TICK_S)
            legs.call.tick(legs.clock.monotonic())
            for end in (legs.caller, legs.operator):
                end.sent.clear()
                end.told.clear()
    gc.callbacks.remove(pauses)
    return {
        "pauses": len(pauses.took),
        "longest_ms": round(max(pauses.took, default=0.0) * 1000, 3),
        "all_ms": round(sum(pauses.took) * 1000, 2),
        "per_call_s_us": round(sum(pauses.took) / (calls * seconds) * 1e6, 2),
    }


def apart(settled: bool, calls: int, seconds: float) -> dict[str, Any]:
    """The same in a process of its own: what is frozen stays so."""
    order = [
        sys.executable,
        "-m",
        "benchmarks.media_pauses",
        "--calls",
        str(calls),
        "--seconds",
        str(seconds),
    ]
    done = subprocess.run(
        [*order, "--one", "settled" if settled else "plain"], check=True, capture_output=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--one", choices=("settled", "plain"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        logs.configure("benchmark", level="error", form="text", personal=False)
        print(json.dumps(asyncio.run(one(options.one == "settled", options.calls, options.seconds))))
        return
    ours, theirs = (apart(settled, options.calls, options.seconds) for settled in (True, False))
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "peer": "the same without freezing what is loaded, Python's own thresholds",
        "calls": options.calls,
        "seconds": options.seconds,
        "ours": ours,
        "theirs": theirs,
        "target_longest_ms": TARGET_MS,
        "met": ours["longest_ms"] <= TARGET_MS,
        "ratio": round(ours["longest_ms"] / max(0.001, theirs["longest_ms"]), 4),
    }
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
