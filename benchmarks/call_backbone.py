"""What the embedded broker costs a message, and the queue a job, each against stock parts in the same run.

    python -m benchmarks.call_backbone [--messages 2000] [--jobs 300] [--rounds 3]

Broker: one client publishes (QoS 1), another takes it in; processor time of the broker's process, in turns for ours
(amqtt behind the gate), plain amqtt, and mosquitto where it is installed. Queue: jobs deferred and run, processor time
of the whole worker side, in turns for our runner and the stock procrastinate worker on the same database. Medians.
Results go to benchmarks/results/call-backbone.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import shutil
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

import aiomqtt
from procrastinate import App, PsycopgConnector

from callsvc import data_dir, logs
from callsvc.bus.address import SECRET
from callsvc.clock import SystemClock
from callsvc.config import load
from callsvc.jobs import Job, Work, defer
from callsvc.jobs.runner import Runner
from callsvc.store import Database
from tests.support.database import one_database

RESULT = Path(__file__).with_name("results") / "call-backbone.json"
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
PLAIN_AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    listeners = {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}}
    await Broker({"listeners": listeners, "plugins": plugins}).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def broker(kind: str, base: Path) -> Iterator[tuple[int, int, str | None, str | None]]:
    """A broker process: its number, port, and who to be."""
    port = free_port()
    user = password = None
    environment = dict(os.environ)
    if kind == "ours":
        directory = data_dir.prepare(base / "data")
        user, password = "callsvc", data_dir.secret(directory, SECRET)
        environment["CALLSVC_DATA_DIR"] = str(directory)
        command = [sys.executable, "-m", "callsvc", "broker", "--port", str(port)]
    elif kind == "amqtt":
        command = [sys.executable, "-c", PLAIN_AMQTT, str(port)]
    else:
        assert MOSQUITTO is not None
        file = base / "mosquitto.conf"
        file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        command = [MOSQUITTO, "-c", str(file)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield process.pid, port, user, password
        finally:
            process.terminate()


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def pass_messages(kind: str, base: Path, count: int) -> float:
    """Processor time of the broker for each message, in microseconds."""
    with broker(kind, base) as (pid, port, user, password):
        options: dict[str, Any] = {"username": user, "password": password}
        async with aiomqtt.Client("127.0.0.1", port, **options) as hears:
            await hears.subscribe("call/#", qos=1)
            async with aiomqtt.Client("127.0.0.1", port, **options) as says:
                before = processor_s(pid)
                publishing = asyncio.create_task(publish(says, count))
                left = count
                async for _ in hears.messages:
                    left -= 1
                    if left == 0:
                        break
                await publishing
                return (processor_s(pid) - before) / count * 1e6


async def publish(client: aiomqtt.Client, count: int) -> None:
    for number in range(count):
        await client.publish("call/1/call.proof", b'{"v":1,"seq":%d}' % number, qos=1)


async def run_jobs(kind: str, conninfo: str, count: int) -> float:
    """Processor time of deferring and running a job, in milliseconds."""
    done = asyncio.Event()
    left = count

    async def work() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    async def ours(_work: Work) -> None:
        await work()

    async with Database(conninfo, pool_max=4) as database:
        async with database.transaction() as conn:
            for _ in range(count):
                await defer(conn, "noop")
        before = time.process_time()
        if kind == "ours":
            runner = Runner(
                [Job("noop", ours, at_once=4)],
                settings=load(data_dir=Path("unused")),
                database=database,
                clock=SystemClock(),
            )
            running = asyncio.create_task(runner.run())
            await done.wait()
            took = time.process_time() - before
            runner.stop()
            await running
        else:
            app = App(connector=PsycopgConnector(conninfo=conninfo))
            app.task(name="noop", queue="noop")(work)
            async with app.open_async():
                worker = asyncio.create_task(
                    app.run_worker_async(queues=["noop"], concurrency=4, install_signal_handlers=False)
                )
                await done.wait()
                took = time.process_time() - before
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)
    return took / count * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    logs.configure("benchmark", level="error")
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="backbone-") as made:
        base = Path(made)
        brokers = ["ours", "amqtt", *(["mosquitto"] if MOSQUITTO else [])]
        messages: dict[str, list[float]] = {kind: [] for kind in brokers}
        for _ in range(asked.rounds):
            for kind in brokers:
                messages[kind].append(asyncio.run(pass_messages(kind, base, asked.messages)))
        jobs: dict[str, list[float]] = {"ours": [], "procrastinate": []}
        with one_database(base) as conninfo:
            for _ in range(asked.rounds):
                for kind in jobs:
                    jobs[kind].append(asyncio.run(run_jobs(kind, conninfo, asked.jobs)))
    message = {kind: statistics.median(took) for kind, took in messages.items()}
    job = {kind: statistics.median(took) for kind, took in jobs.items()}
    found = {
        "broker_us_per_message": message,
        "broker_ratio_to_amqtt": message["ours"] / message["amqtt"],
        "broker_ratio_to_mosquitto": message["ours"] / message["mosquitto"] if MOSQUITTO else None,
        "queue_ms_per_job": job,
        "queue_ratio_to_procrastinate": job["ours"] / job["procrastinate"],
        "peers": {name: version(name) for name in ("amqtt", "procrastinate")},
        "cores": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
    }
    for kind, cost in message.items():
        print(f"broker  {kind:14} {cost:8.0f} us of processor time a message")
    for kind, cost in job.items():
        print(f"queue   {kind:14} {cost:8.2f} ms of processor time a job")
    print(
        f"ratio   broker {found['broker_ratio_to_amqtt']:.2f} of plain amqtt;"
        f" queue {found['queue_ratio_to_procrastinate']:.2f} of stock procrastinate; {os.cpu_count()} cores"
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
