"""How far the demonstration has come: a bar for a person, lines for a file."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from callsvc.locale import text

# Where each step begins, as a share of the whole.
STEPS = {
    "compose": 0.0,
    "service": 0.02,
    "placing": 0.15,
    "calling": 0.2,
    "sealing": 0.8,
    "transcript": 0.86,
    "measuring": 0.92,
    "writing": 0.97,
}


class Teller(Protocol):
    """Is told how far the demonstration has come."""

    def step(self, name: str) -> None:
        """One of `STEPS` begins."""

    def call(self, share: float, state: dict[str, Any]) -> None:
        """The call runs; `state` is the node's latest word."""


class OnScreen:
    """A bar on a terminal; on anything else a line a step. Use as a context manager."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._console = Console(file=sys.stderr, highlight=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> OnScreen:
        self._bar.start()
        self._task = self._bar.add_task("", total=1.0, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, name: str) -> None:
        what = text(f"demo.step.{name}", self._lang)
        if self._console.is_terminal and self._task is not None:
            self._bar.update(self._task, description=what, completed=STEPS[name], note="")
        else:
            self._console.print(f"  {what} …", markup=False)

    def call(self, share: float, state: dict[str, Any]) -> None:
        if self._task is None or not self._console.is_terminal:
            return
        begin, end = STEPS["calling"], STEPS["sealing"]
        note = ""
        if state:
            note = text("demo.state", self._lang, strokes=state.get("strokes", 0))
        self._bar.update(self._task, completed=begin + (end - begin) * share, note=note)


class Lines:
    """JSON lines, for a process that started this one."""

    def step(self, name: str) -> None:
        self._say(name, STEPS[name])

    def call(self, share: float, state: dict[str, Any]) -> None:
        begin, end = STEPS["calling"], STEPS["sealing"]
        self._say("calling", begin + (end - begin) * share)

    def _say(self, step: str, progress: float) -> None:
        sys.stdout.write(json.dumps({"step": f"demo.step.{step}", "progress": round(progress, 3)}) + "\n")
        sys.stdout.flush()
