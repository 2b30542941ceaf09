"""The jobs `demonstration_call` and `demonstration_caller`: each runs in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final
from uuid import UUID

from callsvc import logs
from callsvc.jobs import Job, Work
from callsvc.locale.said import Said
from callsvc.store import demonstrations

NAME: Final = "demonstration_call"
CALLER: Final = "demonstration_caller"
MOST_S: Final = 300.0
LATE: Final = Said("The demonstration took too long.")
ENDED: Final = Said("The demonstration ended early; the worker's log says more.")


async def demonstration_call(work: Work, demonstration_id: str) -> None:
    """Sounds and two clients have no place in the worker's own loop; a demonstration that fails is not repeated."""
    code, said, late = await _run(work, "--within", demonstration_id)
    if code == 0:
        return
    words = said.decode(errors="replace").strip().splitlines()[-1:]
    logs.get("worker").error("demonstration_failed", demonstration=demonstration_id, code=code, said=words)
    async with work.database.transaction() as conn:
        row = await demonstrations.get(conn, UUID(demonstration_id))
        if row.state not in ("done", "failed"):
            why = (LATE if late else ENDED).dump()
            await demonstrations.update(conn, row.id, "failed", at=work.clock.utc_now(), error=why)


async def demonstration_caller(work: Work, by: str) -> None:
    """Somebody rings, to try the operator's page with."""
    code, _, _ = await _run(work, "--caller", by)
    if code != 0:
        logs.get("worker").error("demonstration_caller_failed", code=code)


async def _run(work: Work, option: str, value: str) -> tuple[int | None, bytes, bool]:
    """`callsvc demo` with an option, to its end: its exit code, what it complained of, and whether it took too long."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callsvc", "demo", option, value),
        env=os.environ | {"CALLSVC_DATA_DIR": str(work.settings.data_dir)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    said, late = b"", False
    try:
        async with asyncio.timeout(MOST_S):
            _, said = await process.communicate()
    except TimeoutError:
        late = True
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said, late


JOB: Final = Job(NAME, demonstration_call, attempts=1, at_once=1)
CALLER_JOB: Final = Job(CALLER, demonstration_caller, attempts=1, at_once=1)
