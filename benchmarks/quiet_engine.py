"""What the suppressor engine costs for each stream against RNNoise, and how late it ever is with a hundred streams.

    python -m benchmarks.quiet_engine [--seconds 60] [--streams 100] [--rounds 15]

Two measurements. CPU: processor time of handing a block of 10 ms in, making it quiet and handing it out, for 1 to 256
streams, in turns with RNNoise's own library on its own 10 ms; median over the rounds. Lateness: live streams at real
pace, each with a phase of its own, the whole process on one core; every block's time in the engine, first as an ordinary
process, then scheduled as the media node is (real-time, memory locked, the collector frozen). A sleeper beside it tells when the core
itself stood still: figures are given for all blocks, and for those that no such stall fell into. Results go to
benchmarks/results/quiet-engine.json and .png.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from audio.suppressor import BLOCK, RATE, Engine, StrokeInfo
from audio.suppressor.frames import Float
from benchmarks.stalls import STALL_S, Stalls
from callsvc.media import realtime
from models.suppressor import Network

RESULT = Path(__file__).with_name("results") / "quiet-engine.json"
BATCHES = (1, 4, 16, 64, 128, 256)
TARGETS = {1: 0.9, 64: 0.06}
TARGET_MS = 5.0
TICKS = 20
"""Blocks of each stream in a round, and at least AT_LEAST in all: as many as the peer's, however few the streams are."""
AT_LEAST = 100
SETTLING_S = 1.0
PERCENTILES = (50.0, 99.0, 99.9, 100.0)


def sound(seconds: float, seed: int) -> Float:
    """Like a voice and a keyboard in loudness: bursts of noise over a quiet room."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    loud = np.repeat(rng.choice([0.0005, 0.05, 0.1], count // 1600 + 1), 1600)[:count]
    made: Float = (rng.standard_normal(count) * loud).astype(np.float32)
    return made


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


class Collector:
    """How long the garbage collector stops the process, while it is entered."""

    def __init__(self) -> None:
        self.longest_ms = self._begun = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._begun = now
        else:
            self.longest_ms = max(self.longest_ms, (now - self._begun) * 1000)

    def __enter__(self) -> Collector:
        gc.callbacks.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self)


def lateness(
    network: Network, streams: int, seconds: float, core: int, claimed: bool
) -> tuple[dict[str, Any], Float]:
    """Every block's time in the engine, in ms, of live streams at real pace on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    blocks = int(seconds * 100)
    held = np.full((streams, blocks), np.nan, np.float32)
    pushed = np.zeros((streams, blocks))
    now = time.perf_counter

    def ear(n: int) -> Callable[[Float, StrokeInfo], None]:
        turn = iter(range(blocks))

        def on_block(out: Float, info: StrokeInfo) -> None:
            at = next(turn)
            held[n, at] = np.nan if info.passed else (now() - pushed[n, at]) * 1000

        return on_block

    sounds = [sound(10.0, seed).reshape(-1, BLOCK) for seed in range(8)]
    phases = np.sort(np.random.default_rng(7).uniform(0, 0.01, streams))
    stalls = Stalls(core)
    with stalls, Engine(network, streams=streams) as engine, ExitStack() as stack:
        open_streams = [engine.open(ear(n)) for n in range(streams)]
        granted = realtime.Privileges(False, False)
        if claimed:
            granted = realtime.claim(["suppressor"])
            realtime.settle()
        collector = stack.enter_context(Collector())
        slipped = 0.0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent, start = time.process_time(), now() + 0.1
        for block in range(blocks):
            for n in range(streams):
                due = start + block * 0.01 + phases[n]
                wait = due - now()
                if wait > 0:
                    time.sleep(wait)
                slipped = max(slipped, -wait)
                pushed[n, block] = now()
                open_streams[n].push(sounds[n & 7][block % 1000])
        time.sleep(0.2)
        spent = time.process_time() - spent
        counters = engine.counters
        used = resource.getrusage(resource.RUSAGE_SELF)
    os.sched_setaffinity(0, before)
    settled = slice(int(SETTLING_S * 100), None)
    heard = np.isfinite(held[:, settled])
    times, since = held[:, settled][heard], pushed[:, settled][heard]
    spared = ~stalls.touch(since, since + times / 1000)
    found, beside, asleep = percentiles(times), percentiles(times[spared]), percentiles(stalls.late_ms)
    stood = stalls.late_ms[stalls.late_ms > STALL_S * 1000]
    print(f"{streams} live streams for {seconds:g} s on one core (real-time scheduling: {granted.realtime}):")
    print(f"  time in the engine, ms: {found}   target p99.9: {TARGET_MS:g}")
    print(f"  blocks that no stall of the machine fell into ({100 * spared.mean():.2f} %): {beside}")
    print(
        f"  a sleeper above the engine woke late, ms: {asleep}; {len(stood)} stalls, {stood.sum():.0f} ms in all"
    )
    print(
        f"  of {counters.blocks} blocks {counters.passed} went through unprocessed; batches of "
        f"{counters.blocks / max(1, counters.batches):.1f}; core in use {100 * spent / seconds:.0f} %; "
        f"the test's own clock was late by {slipped * 1000:.1f} ms at most; "
        f"{used.ru_majflt - usage.ru_majflt} major faults, preempted {used.ru_nivcsw - usage.ru_nivcsw} times, "
        f"longest collection {collector.longest_ms:.1f} ms"
    )
    return {
        "streams": streams,
        "seconds": seconds,
        "realtime": granted.realtime,
        "locked": granted.locked,
        "held_ms": found,
        "held_ms_without_stalls": beside,
        "share_without_stalls": round(float(spared.mean()), 5),
        "target_p99.9_ms": TARGET_MS,
        "sleeper": {
            "above_the_engine": stalls.above,
            "late_ms": asleep,
            "stalls": len(stood),
            "stalled_ms": round(float(stood.sum()), 1),
        },
        "blocks": counters.blocks,
        "passed": counters.passed,
        "batches": counters.batches,
        "core_share": round(spent / seconds, 3),
        "pacer_late_ms": round(slipped * 1000, 2),
        "major_faults": used.ru_majflt - usage.ru_majflt,
        "preempted": used.ru_nivcsw - usage.ru_nivcsw,
        "longest_collection_ms": round(collector.longest_ms, 2),
    }, times


def percentiles(times: Any) -> dict[str, float]:
    """Those of PERCENTILES."""
    return {f"p{p:g}": round(float(np.percentile(times, p)), 3) for p in PERCENTILES}


def draw(path: Path, times: Float, figures: dict[str, Any], rows: list[dict[str, Any]]) -> None:
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
    core = max(os.sched_getaffinity(0))
    ordinary, _ = lateness(network, asked.streams, asked.seconds, core, claimed=False)
    late, times = lateness(network, asked.streams, asked.seconds, core, claimed=True)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "model": network.name,
        "model_sha256": network.sha256,
        "cpu": spent,
        "lateness": late,
        "lateness_ordinary": ordinary,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
    }
    asked.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw(asked.out.with_suffix(".png"), times, late, spent["rows"])
    print(f"written: {asked.out}")


if __name__ == "__main__":
    main()
