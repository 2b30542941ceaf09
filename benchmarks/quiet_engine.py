"""What the suppressor engine costs for each stream against RNNoise, and how late it ever is with a hundred streams.

    python -m benchmarks.quiet_engine [--seconds 60] [--streams 100] [--rounds 15]

Two measurements. CPU: processor time of handing a block of 10 ms in, making it quiet and handing it out, for 1 to 256
streams, in turns with RNNoise's own library on its own 10 ms; median over the rounds. Lateness: live streams at real
pace, each with a phase of its own, paced by another process on another core, the engine's process on one core; first as
an ordinary process, then scheduled as the media node is (real-time, memory locked, the collector frozen). See
`benchmarks.lateness` for what is timed and how slow blocks are explained. A sleeper beside the engine tells when the core
itself stood still: figures are given for all blocks, and for those that no such stall fell into. It takes 2.5 minutes.
Results go to benchmarks/results/quiet-engine.json and .png.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from audio.suppressor import BLOCK, Engine, StrokeInfo
from audio.suppressor.frames import Float
from benchmarks import lateness
from benchmarks.pacer import Times, sound
from models.suppressor import Network

RESULT = Path(__file__).with_name("results") / "quiet-engine.json"
BATCHES = (1, 4, 16, 64, 128, 256)
TARGETS = {1: 0.9, 64: 0.06}
TARGET_MS = 5.0
TICKS = 20
"""Blocks of each stream in a round, and at least AT_LEAST in all: as many as the peer's, however few the streams are."""
AT_LEAST = 100


class Bench:
    """An engine of so many streams, turned by hand."""

    def __init__(self, network: Network, streams: int, comfort: bool) -> None:
        self.engine = Engine(network, streams=streams, comfort=comfort, patience_ms=1e6)
        self.heard = 0
        self.streams = [self.engine.open(self.on_block) for _ in range(streams)]
        self.sounds = [sound(1.0, seed).reshape(-1, BLOCK) for seed in range(8)]
        self.at = 0
        self.ticks = max(TICKS, AT_LEAST // streams)

    def on_block(self, out: Float, info: StrokeInfo) -> None:
        self.heard += 1

    def run(self) -> float:
        """Processor seconds for each stream's block."""
        begun = time.thread_time()
        for _ in range(self.ticks):
            self.at = (self.at + 1) % 100
            for n, stream in enumerate(self.streams):
                stream.push(self.sounds[n & 7][self.at])
            self.engine.turn()
        return (time.thread_time() - begun) / self.ticks / len(self.streams)


def rnnoise() -> tuple[Callable[[], float], str]:
    """Processor seconds of RNNoise for 10 ms of a stream; and its version."""
    lib: Any = importlib.import_module("pyrnnoise.rnnoise")
    state = lib.create()
    noise = np.random.default_rng(1).standard_normal((AT_LEAST, 480)) * 1000
    frames = list(noise.astype(np.int16))

    def run() -> float:
        begun = time.thread_time()
        for frame in frames:
            lib.process_mono_frame(state, frame)
        return (time.thread_time() - begun) / len(frames)

    return run, importlib.metadata.version("pyrnnoise")


def cost(network: Network, rounds: int) -> dict[str, Any]:
    """Processor time for each stream, RNNoise = 1."""
    peer, version = rnnoise()
    benches = {(n, comfort): Bench(network, n, comfort) for n in BATCHES for comfort in (False, True)}
    for bench in benches.values():
        bench.run()
    peer()
    ratios: dict[tuple[int, bool], list[float]] = {key: [] for key in benches}
    ours: dict[tuple[int, bool], list[float]] = {key: [] for key in benches}
    theirs: list[float] = []
    for _ in range(rounds):
        for key, bench in benches.items():
            beside = peer()
            spent = bench.run()
            theirs.append(beside)
            ours[key].append(spent)
            ratios[key].append(spent / beside)
    print(
        f"CPU of 10 ms of a stream; RNNoise (pyrnnoise {version}): {statistics.median(theirs) * 1e6:.0f} us"
    )
    print("streams   us    RNNoise = 1   with comfort noise   target")
    rows = []
    for n in BATCHES:
        plain, comfort = (statistics.median(ratios[n, on]) for on in (False, True))
        row = {
            "streams": n,
            "us": round(statistics.median(ours[n, False]) * 1e6, 1),
            "ratio": round(plain, 4),
            "ratio_with_comfort": round(comfort, 4),
            "target": TARGETS.get(n),
        }
        rows.append(row)
        print(f"{n:7d} {row['us']:6.1f} {plain:11.3f} {comfort:17.3f} {TARGETS.get(n, ''):>14}")
    return {
        "peer": "RNNoise by pyrnnoise",
        "peer_version": version,
        "peer_us": round(statistics.median(theirs) * 1e6, 1),
        "rows": rows,
    }


def draw(path: Path, times: Times, figures: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """The histogram, and the cost by number of streams."""
    plots: Any = importlib.import_module("matplotlib")
    plots.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    left.hist(np.minimum(times, 10.0), bins=np.linspace(0, 10, 101), color="#1b6883", log=True)
    left.axvline(TARGET_MS, color="#b4501a", linestyle="--", label=f"{TARGET_MS:g} ms: target for p99.9")
    left.axvline(
        figures["held_ms"]["p99.9"], color="#14203a", label=f"p99.9: {figures['held_ms']['p99.9']:g} ms"
    )
    left.set(
        xlabel="a block's time in the engine, ms (last bin: 10 and more)",
        ylabel="blocks",
        title=f"{figures['streams']} live streams, {figures['seconds']:g} s, one core",
    )
    left.legend(frameon=False)
    counts = [row["streams"] for row in rows]
    right.loglog(counts, [row["ratio"] for row in rows], "o-", color="#1b6883", label="engine")
    right.loglog(
        counts, [row["ratio_with_comfort"] for row in rows], "o:", color="#3a9a80", label="with comfort noise"
    )
    right.axhline(1.0, color="#5a6478", label="RNNoise")
    for n, target in TARGETS.items():
        right.plot([n], [target], "v", color="#b4501a")
    right.set(
        xlabel="streams in a batch", ylabel="CPU for each stream, RNNoise = 1", title="Cost (▼ targets)"
    )
    right.set_xticks(counts, [str(n) for n in counts])
    right.minorticks_off()
    right.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    network = Network()
    load = os.getloadavg()[0]
    spent = cost(network, asked.rounds)
    ordinary, _ = lateness.measure(network, asked.streams, asked.seconds, claimed=False)
    lateness.tell(ordinary)
    late, times = lateness.measure(network, asked.streams, asked.seconds, claimed=True)
    lateness.tell(late)
    for figures in (ordinary, late):
        figures["target_p99.9_ms"] = TARGET_MS
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    made = {
        "model": network.name,
        "model_sha256": network.sha256,
        "cpu": spent,
        "lateness": late,
        "lateness_ordinary": ordinary,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
    }
    asked.out.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    draw(asked.out.with_suffix(".png"), times, late, spent["rows"])
    print(f"written: {asked.out}")


if __name__ == "__main__":
    main()
