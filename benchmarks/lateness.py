"""How long blocks of live streams are in the engine, and where the time of the slow ones went.

    pacer's process ─► bell ─► owner ─► push │ waits ─► gather ─► inference ─► scatter ─► on_block │ ─► owner takes it back
                               └──────────────────── one process, on one core ──────────────────────────────────┘

The owner is a thread as the media node's event loop is one: it pushes what has come, and takes back what is ready, with one
wake for each batch. A block's *time in the engine* is from push to on_block. Its *way* is from the pacer's hand-over to its
being taken back: what else the process needs to hear of a block and of its return is in it, too.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.suppressor import Engine, StrokeInfo
from audio.suppressor.frames import Float
from audio.suppressor.hints import Slots
from audio.suppressor.place import Place
from audio.suppressor.stream import Stream
from benchmarks.pacer import Pacer, Times
from benchmarks.stalls import STALL_S, Stalls
from callsvc.media import realtime
from models.suppressor import Network

SETTLING_S = 1.0
PERCENTILES = (50.0, 99.0, 99.9, 100.0)
SLOW_MS = 3.0
"""Blocks that took longer than this are looked into."""
BATCHES_A_SECOND = 4000
"""More than there can be: one takes half a millisecond at least."""
BEGUN, TAKEN, COMPUTED, LANDED, DONE = range(5)
now = time.perf_counter


class Traced(Engine):
    """Keeps the times of every batch, and how much of the core each part of it had."""

    def __init__(self, network: Network, streams: int, batches: int) -> None:
        super().__init__(network, streams=streams)
        self.wall, self.cpu = touched(batches, 5), touched(batches, 5)
        self.size = touched(batches)
        self.at = -1
        """The newest batch."""

    def _take(self) -> tuple[Slots, list[int], list[Place]]:
        self.at += 1
        self._stamp(BEGUN)
        batch = super()._take()
        self.size[self.at] = len(batch[0])
        self._stamp(TAKEN)
        return batch

    def _compute(self, slots: Slots) -> bool:
        done = super()._compute(slots)
        self._stamp(COMPUTED)
        return done

    def _land(self, slots: Slots, turns: list[int], members: list[Place], computed: bool) -> list[Stream]:
        streams = super()._land(slots, turns, members, computed)
        self._stamp(LANDED)
        return streams

    def _carry(self, slots: Slots, turns: list[int], members: list[Place]) -> None:
        super()._carry(slots, turns, members)
        self._stamp(DONE)

    def _stamp(self, which: int) -> None:
        self.wall[self.at, which] = now()
        self.cpu[self.at, which] = time.thread_time()


class Owner:
    """Pushes what the pacer hands over, and takes back what the engine has done."""

    def __init__(self, engine: Traced, pacer: Pacer) -> None:
        self._engine, self._pacer = engine, pacer
        self._returned: deque[int] = deque()
        self.pushed, self.out, self.back = (touched(pacer.count) for _ in range(3))
        self.batch = np.full(pacer.count, -1)
        """The batch that each block was in; -1 when it went through unprocessed."""
        self._streams = [engine.open(self._ear(n)) for n in range(pacer.streams)]
        engine.on_batch = self._told

    def _ear(self, n: int) -> Callable[[Float, StrokeInfo], None]:
        turn = iter(range(n, self._pacer.count, self._pacer.streams))

        def on_block(out: Float, info: StrokeInfo) -> None:
            k = next(turn)
            self.out[k] = now()
            if not info.passed:
                self.batch[k] = self._engine.at
            self._returned.append(k)

        return on_block

    def _told(self, begins: bool) -> None:
        if not begins:
            os.eventfd_write(self._pacer.bell, 1)

    def run(self) -> None:
        """Until every block is back."""
        pacer, streams, returned = self._pacer, self._streams, self._returned
        at = done = 0
        while done < pacer.count:
            os.eventfd_read(pacer.bell)
            upto = pacer.given
            while at < upto:
                self.pushed[at] = now()
                streams[at % pacer.streams].push(pacer.block(at))
                at += 1
            while returned:
                self.back[returned.popleft()] = now()
                done += 1


class Collector:
    """How long the garbage collector stops the process, while it is entered."""

    def __init__(self) -> None:
        self.longest_ms = self._begun = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = now()
        else:
            self.longest_ms = max(self.longest_ms, (now() - self._begun) * 1000)

    def __enter__(self) -> Collector:
        gc.callbacks.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self)


def measure(network: Network, streams: int, seconds: float, claimed: bool) -> tuple[dict[str, Any], Times]:
    """Figures of live streams at real pace on one core, and every block's time in the engine, in ms."""
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        pacer = stack.enter_context(Pacer(streams, int(seconds * 100), cores[0]))
        os.sched_setaffinity(0, {cores[-1]})
        stack.callback(os.sched_setaffinity, 0, cores)
        stalls = stack.enter_context(Stalls(cores[-1]))
        engine = Traced(network, streams, int(seconds * BATCHES_A_SECOND))
        stack.enter_context(engine)
        owner = Owner(engine, pacer)
        granted = realtime.Privileges(False, False)
        if claimed:
            granted = realtime.claim(["suppressor"])
            realtime.settle()
        collector = stack.enter_context(Collector())
        before, spent = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
        pacer.start()
        owner.run()
        spent = time.process_time() - spent
        after, counters = resource.getrusage(resource.RUSAGE_SELF), engine.counters
    settled = (pacer.due > pacer.due[0] + SETTLING_S) & (owner.batch >= 0)
    held = (owner.out - owner.pushed)[settled] * 1000
    way = (owner.back - pacer.handed)[settled] * 1000
    spared = ~stalls.touch(owner.pushed[settled], owner.out[settled])
    clear = ~stalls.touch(pacer.handed[settled], owner.back[settled])
    stood = stalls.late_ms[stalls.late_ms > STALL_S * 1000]
    return {
        "streams": streams,
        "seconds": seconds,
        "cores": len(cores),
        "realtime": granted.realtime,
        "locked": granted.locked,
        "blocks": counters.blocks,
        "passed": counters.passed,
        "batches": counters.batches,
        "measured": len(held),
        "held_ms": percentiles(held),
        "held_ms_without_stalls": percentiles(held[spared]),
        "touched_by_stalls": int((~spared).sum()),
        "way_ms": percentiles(way),
        "way_ms_without_stalls": percentiles(way[clear]),
        "way_touched_by_stalls": int((~clear).sum()),
        "slow": slow(engine, owner, stalls, settled),
        "pacer_late_ms": percentiles(pacer.late_ms),
        "sleeper": {
            "above_the_engine": stalls.above,
            "late_ms": percentiles(stalls.late_ms),
            "stalls": len(stood),
            "stalled_ms": round(float(stood.sum()), 1),
        },
        "core_share": round(spent / seconds, 3),
        "major_faults": after.ru_majflt - before.ru_majflt,
        "minor_faults": after.ru_minflt - before.ru_minflt,
        "preempted": after.ru_nivcsw - before.ru_nivcsw,
        "longest_collection_ms": round(collector.longest_ms, 2),
    }, held


def slow(engine: Traced, owner: Owner, stalls: Stalls, settled: NDArray[np.bool_]) -> dict[str, Any]:
    """Where the time of the blocks went that took longer than SLOW_MS, on the average; and whose fault it was.

    Blamed on the machine: what a stall fell into, or into the batch that it had to wait for; and what took at least half of
    its excess because these two batches did not have the core, or needed far more of it than is usual for their
    size (another guest on the same silicon, or the host's own work). The rest is the engine's.
    """
    rows = settled.nonzero()[0]
    held = owner.out[rows] - owner.pushed[rows]
    usual_s = float(np.median(held))
    rows, held = rows[held > SLOW_MS / 1000], held[held > SLOW_MS / 1000]
    wall, cpu = engine.wall[: engine.at + 1], engine.cpu[: engine.at + 1]
    own = owner.batch[rows]
    last = np.maximum(own - 1, 0)
    spent = cpu[:, DONE] - cpu[:, BEGUN]
    size = engine.size[: len(spent)]
    lost = wall[:, DONE] - wall[:, BEGUN] - spent
    lost += np.maximum(0.0, spent - np.polyval(np.polyfit(size, spent, 1), size))
    waited_for = wall[last, DONE] > owner.pushed[rows]
    stood = stalls.touch(np.minimum(owner.pushed[rows], wall[last, BEGUN]), owner.out[rows])
    starved = ~stood & (lost[own] + np.where(waited_for, lost[last], 0.0) > (held - usual_s) / 2)
    ready = np.maximum(owner.pushed[rows], wall[last, DONE])
    parts = {
        "for_the_batch_before": ready - owner.pushed[rows],
        "for_others": wall[own, BEGUN] - ready,
        "gather": wall[own, TAKEN] - wall[own, BEGUN],
        "inference": wall[own, COMPUTED] - wall[own, TAKEN],
        "scatter": wall[own, LANDED] - wall[own, COMPUTED],
        "on_block": owner.out[rows] - wall[own, LANDED],
    }
    return {
        "above_ms": SLOW_MS,
        "blocks": len(rows),
        "batches": len(np.unique(own)),
        "machine_stood": int(stood.sum()),
        "machine_slow": int(starved.sum()),
        "engine": int(len(rows) - stood.sum() - starved.sum()),
        "mean_ms": {
            part: round(float(took.mean()) * 1000, 3) if len(rows) else 0.0 for part, took in parts.items()
        },
    }


def tell(figures: dict[str, Any]) -> None:
    """The figures for a person."""
    late, sleeper, why = figures["pacer_late_ms"], figures["sleeper"], figures["slow"]
    print(
        f"{figures['streams']} live streams for {figures['seconds']:g} s, the process on one core "
        f"(real-time scheduling: {figures['realtime']}):"
    )
    print(f"  time in the engine, ms, all {figures['measured']} blocks:  {figures['held_ms']}")
    print(
        f"  without {figures['touched_by_stalls']} that a stall of the machine fell into: "
        f"{figures['held_ms_without_stalls']}"
    )
    print(f"  handed over by another process and taken back, all:  {figures['way_ms']}")
    print(
        f"  without {figures['way_touched_by_stalls']} that a stall of the machine fell into: "
        f"{figures['way_ms_without_stalls']}"
    )
    print(
        f"  {why['blocks']} blocks in {why['batches']} batches above {why['above_ms']:g} ms: {why['machine_stood']} by a stall, "
        f"{why['machine_slow']} by a slow core, {why['engine']} otherwise; their time, ms: {why['mean_ms']}"
    )
    print(
        f"  the pacer was late, ms: {late}; a sleeper above the engine: {sleeper['late_ms']}, {sleeper['stalls']} stalls of "
        f"{sleeper['stalled_ms']:g} ms in all"
    )
    print(
        f"  of {figures['blocks']} blocks {figures['passed']} went through unprocessed; batches of "
        f"{figures['blocks'] / max(1, figures['batches']):.1f}; core in use {100 * figures['core_share']:.0f} %; "
        f"{figures['major_faults']} major faults, {figures['minor_faults']} minor, preempted {figures['preempted']} times, "
        f"longest collection {figures['longest_collection_ms']:g} ms"
    )


def percentiles(times: Times) -> dict[str, float]:
    """Those of PERCENTILES; none of nothing."""
    if not len(times):
        return {}
    return {f"p{p:g}": round(float(np.percentile(times, p)), 3) for p in PERCENTILES}


def touched(*shape: int) -> Times:
    """Zeros in memory that is there already: no page of it is missing when it is first written to."""
    made = np.empty(shape)
    made[:] = 0
    return made
