"""The whole service, as `callsvc serve` runs it: what it says, which processes it has, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from callsvc import data_dir

ANY_PORT = {
    "CALLSVC_WEB__PORT": "0",
    "CALLSVC_MEDIA__PORT": "0",
    "CALLSVC_WORKER__PORT": "0",
    "CALLSVC_MQTT__PORT": "0",
}
PARTS = ("media", "broker", "database", "web", "worker")


class Service:
    """A `callsvc serve` on a data directory."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        self._said = directory.with_name(directory.name + ".said")
        with self._said.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "callsvc", "serve", "--data-dir", str(directory)],
                env={**os.environ, **ANY_PORT, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    async def until_said(self, words: str) -> None:
        while words not in self.said:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.said}")
            await asyncio.sleep(0.05)

    async def ended(self) -> int:
        while self.process.poll() is None:
            await asyncio.sleep(0.05)
        assert self.process.returncode is not None
        return self.process.returncode

    def pids(self) -> dict[str, int]:
        """The part's process, by name; those that run now."""
        found = {}
        for pid in children(self.process.pid):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                name = "database" if words[0].endswith("postgres") else words[3] if len(words) > 3 else ""
                if name in PARTS:
                    found[name] = pid
        return found

    def address(self, part: str) -> tuple[str, int]:
        at: Mapping[str, Any] = data_dir.addresses(self.directory)[part]
        return str(at["host"]), int(at["port"])

    def ready(self, part: str) -> bool:
        host, port = self.address(part)
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    async def until_ready(self, *parts: str) -> None:
        for part in parts:
            while not await asyncio.to_thread(self.ready, part):
                await asyncio.sleep(0.1)

    def end(self) -> None:
        """At the end of a test, however it went."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def family(pid: int) -> set[int]:
    """A process's children, their children, and so on."""
    found: set[int] = set()
    for child in children(pid):
        found |= {child} | family(child)
    return found


def runs(pid: int) -> bool:
    """Whether it is there and not only waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def service(directory: Path, **environment: str) -> Iterator[Service]:
    one = Service(directory, **environment)
    try:
        yield one
    finally:
        one.end()
