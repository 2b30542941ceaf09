"""One part of the service: a process that is started, waited for, and started again when it dies."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from callsvc import logs
from callsvc.errors import CallsvcError, ConfigurationError, MissingPart
from callsvc.locale import LANGUAGES, text
from callsvc.serve.probe import Probe, answers
from callsvc.store.embedded.cluster import Launch
from callsvc.store.embedded.system_user import die_with_parent

PROBE_EVERY_S: Final = 0.1
LOG_BYTES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. After `first_s` a part that died is started again, then after twice as long each time, up to `most_s`;
    one that has run for `well_s` counts as well. A part that has not answered for `hung_s` is ended."""

    first_s: float = 0.2
    most_s: float = 20.0
    well_s: float = 60.0
    hung_s: float = 60.0
    look_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Part:
    """What a part is: how it is started, how one sees that it is ready, how it is told to stop.

    `launch` may do work and may raise; then it counts as a start that failed. `alive` None: it is never ended for not
    answering. `on_ready` runs after each start, before the part counts as ready. `stop_steps` are signals and how many
    seconds each is given, None (not for the last) for as long as it takes; SIGKILL comes after the last.
    """

    name: str
    launch: Callable[[], Awaitable[Launch]]
    ready: Probe
    alive: Probe | None = None
    on_ready: Callable[[], Awaitable[None]] | None = None
    stop_steps: Sequence[tuple[signal.Signals, float | None]] = ((signal.SIGTERM, 30.0),)


@dataclass(slots=True)
class Life:
    """How a part is doing.

    `on_change(part, event, code)` hears of "ready", "died", "hung" and "failed". `on_fatal(error)` hears of a start
    that no other try will mend: the settings are wrong or a program is missing, and the part has never been ready.
    """

    part: Part
    log_file: Path
    patience: Patience
    on_change: Callable[[str, str, int | None], None]
    on_fatal: Callable[[CallsvcError], None]
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    starts: int = 0
    was_ready: bool = False
    _stopping: bool = False

    async def run(self) -> None:
        """Keep the part running until `stop`."""
        wait_s = self.patience.first_s
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began = loop.time()
            try:
                code = await self._one_life()
            except Exception as error:
                # The root of this part's task: whatever the start of one part meets, the others go on.
                self._failed(error)
                code = None
            self.ready.clear()
            if self._stopping:
                return
            if code is not None:
                self._died(code)
            if loop.time() - began > self.patience.well_s:
                wait_s = self.patience.first_s
            await asyncio.sleep(wait_s)
            wait_s = min(self.patience.most_s, wait_s * 2)

    async def _one_life(self) -> int:
        launch = await self.part.launch()
        if self._stopping:
            return 0
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *launch.command,
                env=dict(launch.environment),
                cwd=launch.directory,
                preexec_fn=launch.before_exec,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C at the terminal is for us alone; we tell the parts
            )
        self.starts += 1
        watching = asyncio.create_task(self._watch())
        try:
            return await self.process.wait()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            self._end_group()

    async def _watch(self) -> None:
        """Tell when the part is ready; end it when it no longer answers."""
        while not await answers(self.part.ready):  # noqa: ASYNC110  another process tells nobody
            await asyncio.sleep(PROBE_EVERY_S)
        if self.part.on_ready is not None:
            try:
                await self.part.on_ready()
            except Exception as error:
                self._failed(error)
                self._signal(self.part.stop_steps[0][0])
                return
        self.was_ready = True
        self.ready.set()
        self.on_change(self.part.name, "ready", None)
        if self.part.alive is None:
            return
        silent_s = 0.0
        while silent_s < self.patience.hung_s:
            await asyncio.sleep(self.patience.look_s)
            silent_s = 0.0 if await answers(self.part.alive) else silent_s + self.patience.look_s
        self.on_change(self.part.name, "hung", None)
        self._signal(signal.SIGKILL)

    def forbid_restart(self) -> None:
        """From now on a part that ends stays ended."""
        self._stopping = True

    async def stop(self, hurry: asyncio.Event) -> None:
        """Tell the part to stop, step by step; `hurry` goes to the next step at once."""
        self.forbid_restart()
        process = self.process
        if process is None or process.returncode is not None:
            return
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(hurry.wait())
        *gentle, last = self.part.stop_steps
        for number, seconds in gentle:
            if not hurry.is_set():
                self._signal(number)
                await asyncio.wait([ended, hurried], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self._signal(last[0])
        await asyncio.wait([ended], timeout=last[1])
        if not ended.done():
            logs.get("serve").warning("part_killed", name=self.part.name)
            self._signal(signal.SIGKILL)
        await ended
        hurried.cancel()

    def _failed(self, error: Exception) -> None:
        logs.get("serve").error(
            "part_failed", name=self.part.name, error=type(error).__name__, why=str(error)
        )
        if isinstance(error, ConfigurationError | MissingPart) and not self.was_ready:
            self.on_fatal(error)
        else:
            self.on_change(self.part.name, "failed", None)

    def _died(self, code: int) -> None:
        logs.get("serve").warning("part_died", name=self.part.name, code=code)
        for kind in (ConfigurationError, MissingPart):
            if code == kind.exit_code and not self.was_ready:
                message, hint = last_words(self.log_file)
                self.on_fatal(kind(message, hint=hint))
                return
        self.on_change(self.part.name, "died", code)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def _end_group(self) -> None:
        """What the part itself had started and left behind."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def keep_short(file: Path) -> None:
    """Put a long log aside, in the place of the one that was put aside before, while somebody goes on writing to it.

    What is written in that moment may be lost; the alternative is a disk full of logs.
    """
    with suppress(OSError):
        if file.stat().st_size > LOG_BYTES:
            shutil.copyfile(file, file.with_name(file.name + ".1"))
            os.truncate(file, 0)


def last_words(file: Path) -> tuple[str, str]:
    """What a part said before it ended, and what to do: the last lines of its log that are not of the log's own form."""
    said: dict[str, list[str]] = {"cli.error": [], "cli.hint": []}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]:
        if not (line := line.strip()) or line.startswith("{"):
            continue
        kind, words = _without_label(line)
        if words not in said[kind]:
            said[kind].append(words)
    return " ".join(said["cli.error"]), " ".join(said["cli.hint"])


def _without_label(line: str) -> tuple[str, str]:
    """Whether a line says what went wrong or what to do, and the rest of it; we put the label before it anew."""
    for kind, told in (("cli.error", "message"), ("cli.hint", "hint")):
        for lang in LANGUAGES:
            label = text(kind, lang, **{told: ""})
            if line.startswith(label):
                return kind, line.removeprefix(label)
    return "cli.error", line


def before_exec() -> Callable[[], None]:
    """For our own programs: told to stop when we die, however we die."""
    parent = os.getpid()

    def prepare() -> None:
        die_with_parent(parent, signal.SIGTERM)

    return prepare
