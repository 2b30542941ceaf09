"""A media node as the process that it is, and what a client needs to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from callsvc import data_dir
from callsvc.clock import SystemClock
from callsvc.telephony import token_keys, tokens
from callsvc.types import Leg, Profile

START_S = 90.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    log: Path
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def leg_url(self, call: str, leg: Leg) -> str:
        return f"{self.url}/whip/{call}/{leg.value}"

    def token(
        self,
        call: str,
        leg: Leg,
        profile: Profile = Profile.REPORT,
        *,
        demonstration: bool = True,
        subject: str = "test",
        node: str = "",
    ) -> str:
        key = token_keys.private_key(self.data_dir / "keys")
        return tokens.issue(
            key,
            SystemClock().utc_now(),
            call=call,
            leg=leg,
            profile=profile,
            subject=subject,
            demonstration=demonstration,
            node=node,
        )

    def get(self, path: str) -> tuple[int, str]:
        """Ask the node something."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def events(self) -> list[dict[str, object]]:
        """What the node has to tell, from its outbox on disk."""
        lines = [
            json.loads(line)
            for file in sorted((self.data_dir / "outbox").glob("events.*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        return [line for line in lines if "kind" in line]

    def wait_for(self, kind: str, call: str, timeout_s: float = 20.0) -> dict[str, object]:
        """The first event of a kind for a call, once it is told."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for event in self.events():
                if event["kind"] == kind and event["call"] == call:
                    fields = event["fields"]
                    assert isinstance(fields, dict)
                    return fields
            time.sleep(0.05)
        raise AssertionError(f"no {kind} for {call}; told: {[event['kind'] for event in self.events()]}")


@contextlib.contextmanager
def running_node(directory: Path, **environment: str) -> Iterator[Node]:
    """A node of its own on a free port; stopped at the end, and its exit status looked at."""
    log = directory / "media.log"
    data = directory / "data"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "callsvc", "media", "--data-dir", str(data), "--port", "0"],
            stderr=errors,
            env=os.environ | environment,
        )
    try:
        host, port = _address(process, data, log)
        yield Node(process, data, log, host, port)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextlib.asynccontextmanager
async def in_the_background(what: contextlib.AbstractContextManager[T]) -> AsyncIterator[T]:
    """The same, for a test whose own loop must go on meanwhile: the peers run in it."""
    value = await asyncio.to_thread(what.__enter__)
    try:
        yield value
    except BaseException as error:
        await asyncio.to_thread(what.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(what.__exit__, None, None, None)


def _address(process: subprocess.Popen[bytes], data: Path, log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        media = data_dir.addresses(data).get("media")
        if media:
            return media["host"], media["port"]
        time.sleep(0.05)
    raise AssertionError(f"the node did not start: {log.read_text()}")
