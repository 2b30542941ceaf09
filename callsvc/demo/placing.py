"""Places the call: two processes, one a party each, from their joining to the last word."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from callsvc.demo.peer import Notes, Task
from callsvc.errors import CallsvcError
from callsvc.types import Leg

JOIN_S = 40.0
SPARE_S = 25.0
TELL_S = 0.25
MOST_BYTES = 1 << 20
"""Of one line that a party says."""


class PartyFailed(CallsvcError):
    """A party of the demonstration call did not do its part."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A call that is there to be joined."""

    call_id: str
    media_url: str
    tokens: dict[Leg, str]

    def url(self, leg: Leg) -> str:
        return f"{self.media_url.rstrip('/')}/whip/{self.call_id}/{leg}"


@dataclass(frozen=True, slots=True)
class Line:
    """How a party joins."""

    transport: str
    codec: str


@dataclass(frozen=True, slots=True)
class Side:
    """What became of one party: its notes, and the file with what it heard."""

    notes: Notes
    heard: Path


Told = Callable[[float, dict[str, Any]], None]
"""Share of the call that is over, and the node's latest word on the operator's channel."""


class Party:
    """One party's process."""

    def __init__(self, leg: Leg, process: asyncio.subprocess.Process) -> None:
        self.leg = leg
        self.pid = process.pid
        self.state: dict[str, Any] = {}
        self._process = process
        self._seen: set[str] = set()
        self._changed = asyncio.Condition()

    def order(self, word: str) -> None:
        """`go` or `bye`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())

    async def until(self, what: str, within_s: float) -> None:
        """Wait for the party to say it. Raises `PartyFailed`."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: what in self._seen or "end" in self._seen)
        except TimeoutError:
            raise PartyFailed(
                "The {leg} did not come to {what!r} in {within_s:.0f} s.",
                leg=self.leg,
                what=what,
                within_s=within_s,
            ) from None
        if what not in self._seen:
            raise PartyFailed("The {leg}'s client ended before {what!r}.", leg=self.leg, what=what)

    async def until_live(self, within_s: float) -> None:
        """Wait until the other party is there. Raises `PartyFailed`."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self.state.get("state") == "live" or "end" in self._seen)
        except TimeoutError:
            raise PartyFailed(
                "Nobody answered the {leg} in {within_s:.0f} s.", leg=self.leg, within_s=within_s
            ) from None
        if "end" in self._seen:
            raise PartyFailed("The {leg}'s client ended before anybody answered.", leg=self.leg)

    async def listen(self) -> None:
        """Take in what the party says, to its end."""
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            message = json.loads(raw)
            if message["t"] == "state":
                self.state = message
            await self._note(message["t"])
        await self._note("end")

    async def _note(self, what: str) -> None:
        async with self._changed:
            self._seen.add(what)
            self._changed.notify_all()


@contextlib.asynccontextmanager
async def party(leg: Leg, task: Task, log: Path) -> AsyncIterator[Party]:
    """Run a party for as long as the block lasts; what it complains of goes to `log`."""
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callsvc.demo.peer"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            limit=MOST_BYTES,
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
    one = Party(leg, process)
    listening = asyncio.create_task(one.listen(), name=f"listen to {leg}")
    try:
        yield one
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 5.0)
            except TimeoutError:
                process.kill()
                await process.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def place(
    invitation: Invitation,
    lines: dict[Leg, Line],
    play: dict[Leg, Path],
    work: Path,
    length_s: float,
    told: Told = lambda share, state: None,
    ready: Callable[[], Awaitable[object]] | None = None,
) -> dict[Leg, Side]:
    """Let both parties join, speak and hang up; `ready` is awaited once both are there. Raises `PartyFailed`."""
    tasks = {
        leg: Task(
            invitation.url(leg),
            invitation.tokens[leg],
            lines[leg].transport,
            lines[leg].codec,
            str(play[leg]),
            str(work / f"{leg}_heard.wav"),
            str(work / f"{leg}_notes.json"),
        )
        for leg in Leg
    }
    async with contextlib.AsyncExitStack() as stack:
        parties = {
            leg: await stack.enter_async_context(party(leg, tasks[leg], work / f"{leg}.log")) for leg in Leg
        }
        await _all(parties, "ready", JOIN_S)
        if ready is not None:
            await ready()
        for one in parties.values():
            one.order("go")
        telling = asyncio.create_task(_tell(parties[Leg.OPERATOR], length_s, told), name="tell")
        try:
            await _all(parties, "played", length_s + SPARE_S)
        finally:
            telling.cancel()
        parties[Leg.OPERATOR].order("bye")
        await _all(parties, "left", SPARE_S)
    return {leg: await asyncio.to_thread(_side, tasks[leg]) for leg in Leg}


async def _all(parties: dict[Leg, Party], what: str, within_s: float) -> None:
    async with asyncio.TaskGroup() as group:
        for one in parties.values():
            group.create_task(one.until(what, within_s))


async def _tell(operator: Party, length_s: float, told: Told) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        told(min(1.0, (loop.time() - begun) / length_s), operator.state)
        await asyncio.sleep(TELL_S)


def _side(task: Task) -> Side:
    return Side(Notes(**json.loads(Path(task.notes).read_text(encoding="utf-8"))), Path(task.heard))
