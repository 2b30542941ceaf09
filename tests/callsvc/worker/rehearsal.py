"""A worker of its own for tests: `python -m tests.callsvc.worker.rehearsal MARKS`.

Runs one kind of job, `rehearse`, which writes a line to the file MARKS when it starts, and one when it ends. On its
first attempt it never ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from callsvc import logs
from callsvc.config import load
from callsvc.jobs import Job, Work
from callsvc.jobs.runner import Times
from callsvc.worker import process

TIMES = Times(heartbeat_s=0.5, silent_s=2, sweep_s=0.5, poll_s=0.5, grace_s=1)


def main(marks: Path) -> None:
    def mark(line: str) -> None:
        with marks.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    async def rehearse(work: Work, *, words: str) -> None:
        mark(f"start {work.attempt} {words}")
        if work.attempt == 1 and words == "stay":
            await asyncio.Event().wait()
        mark(f"end {work.attempt} {words}")

    logs.configure("worker")
    asyncio.run(process.run(load(), lambda _settings, _database: [Job("rehearse", rehearse)], times=TIMES))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
