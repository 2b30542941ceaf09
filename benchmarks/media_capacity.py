"""How many calls a core carries, and what each costs as calls grow; stock aiortc in the same run.

    python -m benchmarks.media_capacity [--hold 6] [--most 100] [--within 450]

A media node with suppressor and recording on is held to one core, the load to the others. Calls are added until the
99th percentile of lateness passes 10 ms: of what the caller hears (it comes by the clock, 20 ms apart, and is late against
the earliest) and of what is passed on to the operator (from being sent to being heard). Four kinds: telephone to telephone
(G.711 by plain RTP on both sides), an operator at a browser, with what browsers offer (the caller's sound is passed on) and
with Opus alone (it is encoded anew), and a node of stock aiortc with WebRTC on both sides. The load is a process of its own
and says by how much it was late itself. Results go to benchmarks/results/media-capacity.json, the cost per call to
media-capacity.png: at the end, or with what there is when the time is up or somebody interrupts it. A step at which the load
itself was late says nothing of the node: it is tried again, and does not count if that does not help.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from audio.codecs import G722, OPUS, PCMA, PCMU, Codec, at_rate
from audio.resample import rounded, whole
from audio.rtp import Packet
from benchmarks import rtp_load
from benchmarks.media_delay import Ear, Signal, connect, cpu_of, stock
from benchmarks.rtp_load import FRAME_S, Load, Party, Telephone, talking
from callsvc.demo.composition import compose
from callsvc.telephony import client, ice
from callsvc.telephony.webrtc import WebRtcConnection
from callsvc.types import Leg
from tests.support.node import Node, running_node

RESULTS = Path(__file__).with_name("results")
LATE_S = 0.010
LOAD_LATE_S = 0.005
"""A load that was later than this once may have made others late: a stall of its own is a stall of the line."""
TRIES = 2
"""A step at which somebody was late is tried again: another program may have had the core."""
MOST_TRIES = 4
"""And this often where it was the load that was late."""
STEPS = {
    "stock": (1, 2, 4, 6, 8, 10),
    "telephones": (1, 10, 20, 30, 40, 50, 60, 70, 80, 100),
    "webrtc": (1, 5, 10, 15, 20, 25, 30),
    "webrtc_opus": (1, 5, 10, 15, 20, 25, 30),
}
"""Calls at once, kind by kind, the peer first."""
TARGETS = {"telephones": 50, "webrtc": 15, "webrtc_opus": 15}
KINDS: dict[str, tuple[Codec, ...]] = {
    "telephones": (),
    "webrtc": (OPUS, G722, PCMU, PCMA),
    "webrtc_opus": (OPUS,),
}
"""What the operator speaks: nothing but a telephone's codec, what Chromium and Firefox offer, or Opus alone."""
SETTLE_S = 6.0
"""Before a step is measured: somebody joining holds the load up, and a jitter buffer looks back ten seconds."""


def hold_to_core(pid: int) -> None:
    """The node, with all its threads, on the first core; the load on the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), {cores[0]})
    os.sched_setaffinity(0, set(cores[1:]))


def frames() -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Caller and operator as PCMA, and the operator as Opus: thirty seconds with typing."""
    scene = compose().cut(30.0)
    caller, operator = (
        rounded(whole(np.asarray(voice, np.float32), 48_000, 8000) * np.float32(32768.0))
        for voice in (scene.caller, scene.operator)
    )
    wide = rounded(whole(np.asarray(scene.operator, np.float32), 48_000, 16_000) * np.float32(32768.0))
    law, opus = PCMA.encoder(), at_rate(OPUS, 16_000).encoder()
    cut = len(caller) // 160
    return (
        [law.encode(caller[n * 160 : (n + 1) * 160]) for n in range(cut)],
        [law.encode(operator[n * 160 : (n + 1) * 160]) for n in range(cut)],
        [opus.encode(wide[n * 320 : (n + 1) * 320]) for n in range(cut)],
    )


def marked(frames: list[bytes]) -> list[bytes]:
    """The same frames, each with a number in front that nobody hears and everybody can find again."""
    return [n.to_bytes(4, "big") + b"\xd5\x55" * 6 + frame[16:] for n, frame in enumerate(frames)]


def percentile(values: list[NDArray[np.float64]]) -> float:
    joined = np.concatenate(values) if values else np.zeros(0)
    return float(np.percentile(joined, 99)) if len(joined) else float("inf")


def under_way(giver: Party, taker: Party) -> NDArray[np.float64]:
    assert isinstance(giver, Telephone)
    assert isinstance(taker, Telephone)
    return np.array([at - giver.sent[head] for head, at in taker.passed if head in giver.sent])


async def a_step(
    load: Load, pid: int, calls: Sequence[tuple[Party, Party]], hold_s: float, *, passed_on: bool
) -> dict[str, Any]:
    """So many calls for a while; tried again when somebody was late."""
    made: dict[str, Any] = {}
    everybody = [leg for call in calls for leg in call]
    load.forget()
    await asyncio.sleep(SETTLE_S)
    tries = 0
    for _ in range(MOST_TRIES):
        for leg in everybody:
            leg.forget()
            leg.listening = True
        load.forget()
        cpu, began = cpu_of(pid), time.monotonic()
        await asyncio.sleep(hold_s)
        cpu, took = cpu_of(pid) - cpu, time.monotonic() - began
        for leg in everybody:
            leg.listening = False
        late = percentile([caller.lateness_s() for _, caller in calls])
        under = percentile([under_way(caller, taker) for taker, caller in calls]) if passed_on else None
        heard = sum(caller.packets for _, caller in calls) / (len(calls) * took / FRAME_S)
        made = row(len(calls), cpu / took, late, under, heard, load.worst_s)
        tries += made["valid"]
        if good(made) or tries == TRIES:
            break
    print(json.dumps(made), flush=True)
    return made


async def grow(
    pid: int,
    steps: Sequence[int],
    a_call: Callable[[], Awaitable[tuple[Party, Party]]],
    hold_s: float,
    rows: list[dict[str, Any]],
    until: float,
    *,
    passed_on: bool = False,
) -> None:
    """Calls (operator, caller), one after the other, until somebody is late or the time is up; a row each step."""
    calls: list[tuple[Party, Party]] = []
    async with talking() as load:
        for count in steps:
            if time.monotonic() > until:
                break
            while len(calls) < count:
                calls.append(await a_call())
                load.legs.extend(calls[-1])
            rows.append(await a_step(load, pid, calls, hold_s, passed_on=passed_on))
            if not good(rows[-1]) and (rows[-1]["valid"] or not all(one["valid"] for one in rows[-2:-1])):
                break
    for leg in (leg for call in calls for leg in call):
        await leg.close()


def good(one: dict[str, Any]) -> bool:
    """Whether nobody was late."""
    most = max(one["late_p99_ms"], one["passed_on_p99_ms"] or 0.0)
    return bool(most <= LATE_S * 1000 and one["heard_share"] >= 0.95)


def row(
    count: int, core: float, late: float, passed: float | None, heard: float, load_late: float
) -> dict[str, Any]:
    return {
        "calls": count,
        "core_share": round(core, 3),
        "cpu_ms_per_call_s": round(core / count * 1000, 2),
        "late_p99_ms": round(late * 1000, 2),
        "passed_on_p99_ms": None if passed is None else round(passed * 1000, 2),
        "heard_share": round(heard, 3),
        "load_late_ms": round(load_late * 1000, 1),
        "valid": load_late <= LOAD_LATE_S,
    }


@dataclass
class Browser:
    """An operator at a browser, or either party of the stock node."""

    connection: WebRtcConnection
    ear: Ear
    codec: Codec
    frames: list[bytes]
    said: int = 0
    listening: bool = False

    def say(self) -> None:
        self.connection.send_frame(self.codec, self.frames[self.said % len(self.frames)])
        self.said += 1

    def hear(self) -> None:
        """What comes is noted as it comes."""

    def forget(self) -> None:
        self.ear.heard.clear()

    def lateness_s(self) -> NDArray[np.float64]:
        return lateness(self.ear.heard)

    @property
    def packets(self) -> int:
        return len(self.ear.heard)

    async def close(self) -> None:
        await self.connection.close()


async def browser(
    leg: Leg, signalling: Signal, frames: list[bytes], spoken: Sequence[Codec] = (OPUS,)
) -> Browser:
    connection, ear = await connect(leg, signalling, spoken)
    return Browser(connection, ear, spoken[0], frames)


def lateness(heard: list[tuple[float, Packet]]) -> NDArray[np.float64]:
    if not heard:
        return np.zeros(0)
    ticks = np.array([packet.timestamp for _, packet in heard], np.int64)
    ticks = (ticks - ticks[0] + (1 << 31)) % (1 << 32) - (1 << 31)
    out_of_step = np.array([at for at, _ in heard]) - ticks / PCMA.clock_hz
    result: NDArray[np.float64] = out_of_step - out_of_step.min()
    return result


@contextlib.asynccontextmanager
async def node() -> AsyncIterator[Node]:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"CALLSVC_MEDIA__MAX_CALLS": "250", "CALLSVC_MEDIA__KEEP_RAW": "never"}
        with running_node(Path(folder), **settings) as running:
            hold_to_core(running.process.pid)
            yield running


def carried(rows: list[dict[str, Any]]) -> int:
    """The most calls at which nobody was late."""
    return max((one["calls"] for one in rows if good(one)), default=0)


def parties(running: Node, spoken: Sequence[Codec]) -> Callable[[], Awaitable[tuple[Party, Party]]]:
    """Calls of our node: an operator with these codecs, at a browser or, without any, at a telephone; and a caller."""
    caller_law, operator_law, operator_opus = frames()

    async def a_call() -> tuple[Party, Party]:
        call = str(uuid4())

        async def signalling(leg: Leg, offer: str) -> str:
            return await client.signal(running.leg_url(call, leg), running.token(call, leg), offer)

        async def telephone(leg: Leg, said: list[bytes]) -> Telephone:
            return await rtp_load.telephone(running.leg_url(call, leg), running.token(call, leg), said)

        if not spoken:
            caller = await telephone(Leg.CALLER, marked(caller_law))
            return await telephone(Leg.OPERATOR, operator_law), caller
        operator = await browser(Leg.OPERATOR, signalling, operator_opus, spoken)
        caller = await telephone(Leg.CALLER, caller_law)
        await operator.ear.ready.wait()
        return operator, caller

    return a_call


async def measure(hold_s: float, most: int, within_s: float, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Fill `rows`, step by step."""
    ice.use_only(["127.0.0.1"])
    rtp_load.claim()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)  # type: ignore[union-attr]
    caller_law, _, operator_opus = frames()
    began = time.monotonic()
    for place, (name, counts) in enumerate(STEPS.items()):
        found = rows[name] = []
        steps = [count for count in counts if count <= most]
        # What is not used up is the next one's; none may leave the next without any.
        until = began + within_s * (place + 1) / len(STEPS)
        if name == "stock":
            async with stock() as (pid, signalling):
                hold_to_core(pid)

                async def of_stock(signalling: Signal = signalling) -> tuple[Party, Party]:
                    operator = await browser(Leg.OPERATOR, signalling, operator_opus)
                    caller = await browser(Leg.CALLER, signalling, caller_law, (PCMA,))
                    await asyncio.gather(operator.ear.ready.wait(), caller.ear.ready.wait())
                    return operator, caller

                await grow(pid, steps, of_stock, hold_s, found, until)
            continue
        async with node() as running:
            a_call = parties(running, KINDS[name])
            await grow(running.process.pid, steps, a_call, hold_s, found, until, passed_on=not KINDS[name])


def results(hold_s: float, rows: dict[str, list[dict[str, Any]]], *, whole: bool) -> dict[str, Any]:
    calls = {name: carried(found) for name, found in rows.items()}
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "peer": f"aiortc {version('aiortc')}, decoding and encoding",
        "hold_s": hold_s,
        "whole": whole,
        "calls_per_core": calls,
        "targets": TARGETS,
        "met": {name: calls.get(name, 0) >= target for name, target in TARGETS.items()},
        "ratio": {name: round(calls[name] / max(1, calls["stock"]), 2) for name in KINDS if name in calls},
        "rows": rows,
    }


def plot(rows: dict[str, list[dict[str, Any]]], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    names = {
        "telephones": "telephone to telephone", "webrtc": "WebRTC operator, telephone",
        "webrtc_opus": "WebRTC operator with Opus alone, telephone", "stock": "stock aiortc, WebRTC on both sides"
    }  # fmt: skip
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, found in rows.items():
        if not found:
            continue
        axes.plot(
            [one["calls"] for one in found],
            [one["cpu_ms_per_call_s"] for one in found],
            "o-",
            label=names[name],
        )
    axes.set(
        xlabel="calls at once, one core", ylabel="CPU ms per call and second", xscale="log", yscale="log"
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hold", type=float, default=6.0)
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--within", type=float, default=450.0, help="seconds after which no step begins")
    options = parser.parse_args()
    rows: dict[str, list[dict[str, Any]]] = {}
    whole = False
    try:
        asyncio.run(measure(options.hold, options.most, options.within, rows))
        whole = True
    finally:
        result = results(options.hold, rows, whole=whole)
        print(json.dumps({name: result[name] for name in ("calls_per_core", "met", "ratio")}, indent=1))
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "media-capacity.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        if any(rows.values()):
            plot(rows, RESULTS / "media-capacity.png")


if __name__ == "__main__":
    main()
