"""What it costs the media loop that all calls hand their sound to the suppressor under one lock.

    python -m benchmarks.media_hand_over [--calls 60] [--seconds 30]

A thread does what the node's loop does every 10 ms: it hands one block of every call over, one after the other, while the
engine takes and gives back under the same lock. Each taking of the lock is timed. How long the loop waited for it in a round
makes whatever that round sends so much later. The peer is the same round with an engine that lets everything through and so
holds the lock for next to nothing. Results go to benchmarks/results/media-hand-over.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from audio.suppressor import BLOCK, Engine
from callsvc.media import realtime
from models.suppressor import Network, load

RESULT = Path(__file__).with_name("results") / "media-hand-over.json"
ROUND_S = 0.010
SETTLE_ROUNDS = 100
TARGET_MS = 1.0
"""A tenth of a round: at the 99.9th percentile no more than this may be waited."""


class Watched:
    """A lock that notes how long one thread waited for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whose = threading.get_ident()
        self.waited_s = 0.0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if threading.get_ident() != self._whose:
            return self._lock.acquire(blocking, timeout)
        began = time.perf_counter()
        got = self._lock.acquire(blocking, timeout)
        self.waited_s += time.perf_counter() - began
        return got

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> Watched:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.release()


def rounds(network: Network | None, calls: int, seconds: float) -> dict[str, Any]:
    """So many calls in real time; what the hand-over took, and how much of it was waiting."""
    engine = Engine(network, streams=calls)
    lock = Watched()
    engine._lock = lock  # type: ignore[assignment]
    engine._work = threading.Condition(lock)  # type: ignore[arg-type]
    noise = np.random.default_rng(1).normal(0, 0.05, (97, BLOCK)).astype(np.float32)
    whole = round(seconds / ROUND_S)
    took, waited = np.zeros(whole), np.zeros(whole)
    with engine:
        streams = [engine.open(lambda _out, _info: None) for _ in range(calls)]
        realtime.claim(["suppressor"])
        due = time.perf_counter()
        for number in range(-SETTLE_ROUNDS, whole):
            due += ROUND_S
            time.sleep(max(0.0, due - time.perf_counter()))
            lock.waited_s = 0.0
            began = time.perf_counter()
            for place, stream in enumerate(streams):
                stream.push(noise[(number + place) % len(noise)])
            if number >= 0:
                took[number], waited[number] = time.perf_counter() - began, lock.waited_s
        for stream in streams:
            stream.close()
    return {"hand_over_ms": percentiles(took), "waited_ms": percentiles(waited)}


def percentiles(values: np.ndarray) -> dict[str, float]:
    return {str(p): round(float(np.percentile(values, p)) * 1000, 3) for p in (50, 99, 99.9, 100)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    ours, theirs = (rounds(network, options.calls, options.seconds) for network in (load(), None))
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "peer": "the same hand-over to an engine without a network",
        "calls": options.calls,
        "seconds": options.seconds,
        "ours": ours,
        "theirs": theirs,
        "target_waited_p999_ms": TARGET_MS,
        "met": ours["waited_ms"]["99.9"] <= TARGET_MS,
        "ratio": round(ours["hand_over_ms"]["99"] / max(0.001, theirs["hand_over_ms"]["99"]), 2),
    }
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
