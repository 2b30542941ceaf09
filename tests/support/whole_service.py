"""The whole service, every process of it, on free ports; calls in it by two client processes; its parts killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from callsvc import data_dir, store
from callsvc.clock import SystemClock
from callsvc.config import Settings
from callsvc.demo import composition, figures, outcome, placing, run, service
from callsvc.demo.composition import Scene
from callsvc.demo.outcome import Books
from callsvc.demo.peer import Task
from callsvc.demo.placing import Invitation, Party, Side, party
from callsvc.demo.run import LINES, Account
from callsvc.demo.sound import write
from callsvc.ids import parse_id
from callsvc.store import Database
from callsvc.types import Leg

CLOCK = SystemClock()
SHORT_S = 8.0


@dataclass(frozen=True)
class Placed:
    """A call that is over, as its two clients saw it."""

    id: UUID
    sides: dict[Leg, Side]
    scene: Scene

    @property
    def measured(self) -> figures.Figures:
        return figures.figures(self.scene, self.sides)


class WholeService:
    """A service that runs in `directory`."""

    def __init__(self, directory: Path, settings: Settings, database: Database, who: Account) -> None:
        self.directory, self.settings, self.database, self.who = directory, settings, database, who
        self._calls = 0

    @property
    def addresses(self) -> dict[str, dict[str, object]]:
        """Where each part listens."""
        return data_dir.addresses(self.directory)

    def url(self, part: str) -> str:
        found = self.addresses[part]
        return f"http://{found['host']}:{found['port']}"

    # Calls.

    async def invite(self) -> Invitation:
        return await run.invite_by_api(self.url("web"), self.who)

    def work(self) -> Path:
        """A new folder for a call's files."""
        self._calls += 1
        made = self.directory.parent / f"call-{self._calls}"
        made.mkdir()
        return made

    async def call(
        self,
        scene: Scene | None = None,
        during: Callable[[], Awaitable[None]] | None = None,
        at_s: float = 2.5,
    ) -> Placed:
        """A call, by default of the demonstration's first seconds; `during` is awaited while it runs, from `at_s` on."""
        scene = scene or composition.compose().cut(SHORT_S)
        length_s = scene.length_s
        work = self.work()
        play = {Leg.OPERATOR: work / "operator.wav", Leg.CALLER: work / "caller.wav"}
        write(play[Leg.OPERATOR], scene.operator, composition.RATE)
        write(play[Leg.CALLER], scene.caller, composition.RATE)
        invitation = await self.invite()
        reached = asyncio.Event()

        def told(share: float, _state: Mapping[str, object]) -> None:
            if share * length_s >= at_s:
                reached.set()

        async def meanwhile() -> None:
            await reached.wait()
            if during is not None:
                await during()

        async with asyncio.TaskGroup() as group:
            happening = group.create_task(meanwhile())
            sides = await placing.place(invitation, LINES, play, work, length_s, told)
            await happening
        return Placed(parse_id(invitation.call_id), sides, scene)

    @contextlib.asynccontextmanager
    async def parties(self, invitation: Invitation, length_s: float) -> AsyncIterator[dict[Leg, Party]]:
        """Both clients of a call, to be ordered about; they speak the scene's first seconds."""
        scene = composition.compose().cut(length_s)
        work = self.work()
        async with contextlib.AsyncExitStack() as stack:
            found: dict[Leg, Party] = {}
            for leg, sound in ((Leg.CALLER, scene.caller), (Leg.OPERATOR, scene.operator)):
                write(work / f"{leg}.wav", sound, composition.RATE)
                task = Task(
                    invitation.url(leg), invitation.tokens[leg], LINES[leg].transport, LINES[leg].codec,
                    str(work / f"{leg}.wav"), str(work / f"{leg}_heard.wav"), str(work / f"{leg}.json"),
                )  # fmt: skip
                found[leg] = await stack.enter_async_context(party(leg, task, work / f"{leg}.log"))
            for one in found.values():
                await one.until("ready", placing.JOIN_S)
            yield found

    async def books(self, call_id: UUID) -> Books:
        """The call's rows, once everything has caught up."""
        return await outcome.books(self.database, CLOCK, call_id, lambda step: None)

    def whole(self, call_id: UUID, found: Books) -> bool:
        """Whether the recording verifies against its seals and against the books."""
        return outcome.verified(self.settings, call_id, found.recording)

    # Parts.

    def pid(self, part: str) -> int:
        """The process of a part: `media`, `web`, `worker`, `broker` or `database`."""
        parent = int(str(self.addresses["serve"]["pid"]))
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (words := _command(entry)) and _parent(entry) == parent:
                named = words[-1] == part and "callsvc" in words
                if named or (part == "database" and Path(words[0]).name == "postgres"):
                    return int(entry.name)
        raise AssertionError(f"{part} does not run")

    async def kill(self, part: str) -> int:
        """SIGKILL; returns once another process has taken its place. The pid that died."""
        died = self.pid(part)
        os.kill(died, signal.SIGKILL)
        async with asyncio.timeout(40):
            while True:
                await asyncio.sleep(0.1)
                with contextlib.suppress(AssertionError):
                    if self.pid(part) != died:
                        return died


@contextlib.asynccontextmanager
async def whole_service(base: Path, wanted: Mapping[str, str] | None = None) -> AsyncIterator[WholeService]:
    """A fresh service in `base`/data, with an account that may take calls and listen."""
    directory = service.fresh(base / "data")
    async with (
        service.running(directory, CLOCK, wanted) as settings,
        Database(store.address(settings), pool_max=3) as database,
    ):
        who = await run.account(database, CLOCK, "sv")
        yield WholeService(directory, settings, database, who)


def _command(entry: Path) -> list[str]:
    try:
        return (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def lines(file: Path) -> list[dict[str, object]]:
    """The lines of a log that are JSON."""
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found
