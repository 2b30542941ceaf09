"""The job `demonstration_call`: runs the demonstration in a process of its own, which keeps its row up to date."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final
from uuid import UUID

from callsvc import logs
from callsvc.jobs import Job, Work
from callsvc.store import demonstrations

NAME: Final = "demonstration_call"
MOST_S: Final = 300.0


async def demonstration_call(work: Work, demonstration_id: str) -> None:
    """Sounds and two clients have no place in the worker's own loop; a demonstration that fails is not repeated."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callsvc", "demo", "--within", demonstration_id),
        env=os.environ | {"CALLSVC_DATA_DIR": str(work.settings.data_dir)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(MOST_S):
            _, said = await process.communicate()
    except TimeoutError:
        said = b"It took too long."
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return
    logs.get("worker").error("demonstration_failed", demonstration=demonstration_id, code=process.returncode)
    async with work.database.transaction() as conn:
        row = await demonstrations.get(conn, UUID(demonstration_id))
        if row.state not in ("done", "failed"):
            reason = said.decode(errors="replace").strip().splitlines()[:1]
            await demonstrations.update(
                conn, row.id, "failed", at=work.clock.utc_now(), error=" ".join(reason) or "It ended early."
            )


JOB: Final = Job(NAME, demonstration_call, attempts=1, at_once=1)
