"""Whether strangers make running calls late: floods of RTP at their ports and of INVITEs at the node's door.

    python -m benchmarks.media_flood [--hold 10] [--calls 5]

Telephones talk through a node of their own core, suppressor and recording on. Strangers at addresses of their own (127.0.0.9)
then send it 4000 packets of sound a second, spread over the ports of the calls, and after that 1000 INVITEs a second. The
peer is the same calls with nobody else there. Results go to benchmarks/results/media-flood.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import platform
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from audio import rtp
from audio.rtp import Packet
from benchmarks import rtp_load
from benchmarks.media_capacity import frames, hold_to_core, marked, percentile, under_way
from benchmarks.media_delay import cpu_of
from benchmarks.rtp_load import Load, Telephone, talking
from callsvc import data_dir
from callsvc.types import Leg
from tests.support.node import Node, running_node

RESULT = Path(__file__).with_name("results") / "media-flood.json"
STRANGER = "127.0.0.9"
TURN_S = 0.005
SETTLE_S = 7.0
FLOODS = {"rtp": 4000, "invite": 1000}
"""Datagrams a second."""
LATE_MS = 10.0
WITHIN_S = 150.0
INVITE = (
    "INVITE sip:112@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK{n}\r\nFrom: <sip:x@127.0.0.9>;tag={n}\r\n"
    "To: <sip:112@127.0.0.1>\r\nCall-ID: {n}@127.0.0.9\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


async def call(node: Node) -> tuple[Telephone, Telephone]:
    """Operator and caller, both at telephones."""
    caller_law, operator_law, _ = frames()
    name = str(uuid4())
    operator, caller = [
        await rtp_load.telephone(node.leg_url(name, leg), node.token(name, leg), said)
        for leg, said in ((Leg.OPERATOR, operator_law), (Leg.CALLER, marked(caller_law)))
    ]
    return operator, caller


def flood(kind: str, ports: list[int], sip: int) -> Callable[[], None]:
    """What strangers send in one turn of the load."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((STRANGER, 0))
    stranger.setblocking(False)
    numbers, targets = itertools.count(), itertools.cycle(ports)
    each = round(FLOODS[kind] * TURN_S)

    def send() -> None:
        for _ in range(each):
            n = next(numbers)
            with contextlib.suppress(BlockingIOError):
                if kind == "rtp":
                    sound = rtp.build(Packet(8, n & 0xFFFF, n * 160 & 0xFFFFFFFF, 99, b"\xd5" * 160))
                    stranger.sendto(sound, ("127.0.0.1", next(targets)))
                else:
                    stranger.sendto(INVITE.format(n=n).encode(), ("127.0.0.1", sip))

    return send


async def listened(
    load: Load, pid: int, calls: list[tuple[Telephone, Telephone]], hold_s: float
) -> dict[str, Any]:
    """How late everybody was for a while."""
    everybody = [leg for pair in calls for leg in pair]
    for leg in everybody:
        leg.forget()
        leg.listening = True
    load.forget()
    cpu = cpu_of(pid)
    await asyncio.sleep(hold_s)
    cpu = cpu_of(pid) - cpu
    for leg in everybody:
        leg.listening = False
    return {
        "late_p99_ms": round(percentile([caller.lateness_s() for _, caller in calls]) * 1000, 2),
        "passed_on_p99_ms": round(
            percentile([under_way(caller, operator) for operator, caller in calls]) * 1000, 2
        ),
        "heard_share": round(
            sum(caller.packets for _, caller in calls) / (len(calls) * hold_s / rtp_load.FRAME_S), 3
        ),
        "core_share": round(cpu / hold_s, 3),
        "load_late_ms": round(load.worst_s * 1000, 1),
    }


async def measure(hold_s: float, count: int, rows: dict[str, dict[str, Any]]) -> None:
    """Fill `rows`, one kind of strangers after the other."""
    rtp_load.claim()
    settings = {
        "CALLSVC_MEDIA__KEEP_RAW": "never",
        "CALLSVC_SIP__HOST": "127.0.0.1",
        "CALLSVC_SIP__PORT": "0",
        "CALLSVC_SIP__PEERS": '["127.0.0.1"]',
    }
    with tempfile.TemporaryDirectory() as folder, running_node(Path(folder), **settings) as node:
        hold_to_core(node.process.pid)
        sip = data_dir.addresses(node.data_dir)["sip"]["port"]
        async with talking() as load:
            calls: list[tuple[Telephone, Telephone]] = []
            while len(calls) < count:
                calls.append(await call(node))
                load.legs.extend(calls[-1])
            ports = [leg.peer[1] for pair in calls for leg in pair]
            await asyncio.sleep(SETTLE_S)
            for name in ("nobody", *FLOODS):
                if name in FLOODS:
                    load.also = flood(name, ports, sip)
                rows[name] = await listened(load, node.process.pid, calls, hold_s)
                print(json.dumps({"strangers": name, **rows[name]}), flush=True)
        for leg in (leg for pair in calls for leg in pair):
            await leg.close()


def results(hold_s: float, count: int, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    alone = rows.get("nobody", {"late_p99_ms": 0.0})
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "peer": "the same calls with nobody else there",
        "calls": count,
        "hold_s": hold_s,
        "datagrams_per_s": FLOODS,
        "target_late_p99_ms": LATE_MS,
        "whole": len(rows) == 1 + len(FLOODS),
        "met": all(
            name in rows and rows[name]["late_p99_ms"] <= LATE_MS and rows[name]["heard_share"] >= 0.95
            for name in FLOODS
        ),
        "ratio": {
            name: round(rows[name]["late_p99_ms"] / max(0.01, alone["late_p99_ms"]), 2)
            for name in FLOODS
            if name in rows
        },
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hold", type=float, default=10.0)
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    try:
        asyncio.run(asyncio.wait_for(measure(options.hold, options.calls, rows), WITHIN_S))
    finally:
        result = results(options.hold, options.calls, rows)
        print(json.dumps({name: result[name] for name in ("met", "ratio")}, indent=1))
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
