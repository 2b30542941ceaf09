"""How soon the first sound of an hour-long call is there, over HTTP, against the same bytes of a plain WAV file.

    python -m benchmarks.evidence_listening [--times 100]

A recording of an hour, encrypted and sealed, is played as the pages play it: `callsvc web` as a process of its own, a
reason given, ranges of `playback.wav` that begin anywhere. The peer is the same hour as a WAV file, served statically by
the same web server in a process of its own; every range is asked of both, and must be the same bytes. Results go to
benchmarks/results/evidence-listening.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.evidence_recorder import hour_long
from callsvc import data_dir
from callsvc.access import people
from callsvc.clock import SystemClock
from callsvc.config import load
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.reader import open_recording
from callsvc.recordings.rebooking import rebook
from callsvc.recordings.source import DirectorySource
from callsvc.store import Database
from callsvc.types import Role
from tests.support.database import one_database
from tests.support.web import PASSWORD

RESULT = Path(__file__).with_name("results") / "evidence-listening.json"
PROMISED_MS = 300
SECOND = 16_000
"""Bytes of a second of sound: 8 kHz, 16 bits, one track."""
STATIC = (
    "import sys, uvicorn; from starlette.applications import Starlette; from starlette.routing import Mount;"
    "from starlette.staticfiles import StaticFiles;"
    "uvicorn.run(Starlette(routes=[Mount('/', StaticFiles(directory=sys.argv[1]))]), port=int(sys.argv[2]),"
    " log_level='error')"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def process(words: list[str], port: int, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A server, from its first answer until it is not needed any more."""
    with log.open("wb") as output:
        running = subprocess.Popen(words, env=os.environ | environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
                break
            except httpx.TransportError:
                if running.poll() is not None or time.monotonic() > until:
                    raise SystemExit(log.read_text()) from None
                time.sleep(0.1)
        yield
    finally:
        running.terminate()
        running.wait(30)


async def booked(base: Path, conninfo: str) -> None:
    """The call's rows, written from its recording; and somebody who may hear it."""
    settings = load(data_dir=base)
    async with Database(conninfo, pool_max=2) as database:
        assert (await rebook(settings, database, key_ring(settings), SystemClock())).written == 1
        async with database.transaction() as conn:
            await people.create(
                conn, name="inga", display_name="Inga", roles=[Role.INVESTIGATOR], password=PASSWORD,
                at=SystemClock().utc_now(), must_change_password=False,
            )  # fmt: skip


def first_sound(client: httpx.Client, path: str, offset: int) -> tuple[float, bytes]:
    """Milliseconds until a second of sound has come, of a range that is open to the end as a player asks for it."""
    begun = time.perf_counter()
    with client.stream("GET", path, headers={"Range": f"bytes={offset}-"}) as answer:
        assert answer.status_code == 206, answer.read()
        came = b""
        for part in answer.iter_raw():
            came += part
            if len(came) >= SECOND:
                break
        took = 1000 * (time.perf_counter() - begun)
    return took, came[:SECOND]


def measured(ours: httpx.Client, theirs: httpx.Client, call: str, size: int, times: int) -> dict[str, Any]:
    path = f"/api/calls/{call}/playback.wav"
    # The very first: the recording is found, its key unwrapped, its index read.
    cold, _ = first_sound(ours, path, 0)
    first_sound(theirs, "/hour.wav", 0)
    rng = np.random.default_rng(1)
    places = sorted(int(place) for place in rng.integers(44, size - 2 * SECOND, times))
    took: list[tuple[int, float, float]] = []
    for n in rng.permutation(times):
        mine_ms, sound = first_sound(ours, path, places[n])
        other_ms, plain = first_sound(theirs, "/hour.wav", places[n])
        assert sound == plain, f"byte {places[n]}"
        took.append((int(n), mine_ms, other_ms))
    took.sort()
    mine, other = [one[1] for one in took], [one[2] for one in took]
    tenth = max(1, times // 10)
    return {
        "first_of_all_ms": cold,
        "median_ms": statistics.median(mine),
        "p95_ms": float(np.percentile(mine, 95)),
        "worst_ms": max([cold, *mine]),
        "first_tenth_of_the_hour_ms": statistics.median(mine[:tenth]),
        "last_tenth_of_the_hour_ms": statistics.median(mine[-tenth:]),
        "peer_median_ms": statistics.median(other),
        "peer_p95_ms": float(np.percentile(other, 95)),
    }


def run(base: Path, times: int) -> dict[str, Any]:
    data = data_dir.prepare(base / "data")
    directory, keys = hour_long(data)
    recording = open_recording(DirectorySource(directory), keys)
    view = recording.wav("caller.rx")
    (base / "plain").mkdir()
    with (base / "plain" / "hour.wav").open("wb") as plain:
        for part in view.chunks(0, view.size):
            plain.write(part)
    with one_database(base) as conninfo:
        asyncio.run(booked(data, conninfo))
        port, peer = free_port(), free_port()
        web = [sys.executable, "-m", "callsvc", "web", "--data-dir", str(data), "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
        static = [sys.executable, "-c", STATIC, str(base / "plain"), str(peer)]
        with (
            process(web, port, {"CALLSVC_DATABASE__URL": conninfo}, base / "web.log"),
            process(static, peer, {}, base / "static.log"),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as ours,
            httpx.Client(base_url=f"http://127.0.0.1:{peer}", timeout=60) as theirs,
        ):
            signed_in = ours.post("/api/login", json={"name": "inga", "password": PASSWORD})
            assert signed_in.status_code == 200, signed_in.text
            call = directory.name
            opened = ours.post(f"/api/calls/{call}/access", json={"reason": "Mätning: 5000-K1-26"})
            assert opened.status_code == 204, opened.text
            return measured(ours, theirs, call, view.size, times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="listening-") as folder:
        found = run(Path(folder), asked.times)
    told = {
        "peer": f"the same hour as plain WAV, starlette {version('starlette')} StaticFiles on uvicorn {version('uvicorn')}",
        "ours": "callsvc web: session, reason and trail asked for each range; decrypted as it is read",
        **found,
        "ratio": found["median_ms"] / found["peer_median_ms"],
        "promised_ms": PROMISED_MS,
        "kept": found["worst_ms"] < PROMISED_MS,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
