"""The worker process: database, queue, health, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence

from callsvc import data_dir, jobs, logs
from callsvc.clock import Clock, SystemClock
from callsvc.config import Settings
from callsvc.errors import Unavailable
from callsvc.http_door import Server
from callsvc.jobs import Job
from callsvc.jobs.runner import TIMES, Runner, Times
from callsvc.listening import listen
from callsvc.store import Database
from callsvc.worker import health

# Something that is looked after from time to time, beside the jobs.
Chore = Callable[[Settings, Database], Awaitable[None]]
Compose = Callable[[Settings, Database], Sequence[Job]]


async def run(
    settings: Settings,
    compose: Compose,
    chores: Sequence[Chore] = (),
    *,
    clock: Clock | None = None,
    chore_every_s: float = 60.0,
    times: Times = TIMES,
) -> None:
    """Run the jobs that `compose` puts together until SIGTERM or SIGINT.

    Waits for the database as long as it takes and says so on /readyz. Raises `PortTaken`, and `SchemaTooNew` when
    the database belongs to a newer version.
    """
    # The library's lines hold the arguments of jobs; what matters is logged by the runner.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    log = logs.get("worker")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    data_dir.prepare(settings.data_dir)

    runner: Runner | None = None

    def reasons() -> list[str]:
        if stop.is_set():
            return ["stopping"]
        return ["database_away"] if runner is None or runner.away else []

    sock = listen(settings.worker.host, settings.worker.port, "worker.port")
    server = Server(health.application(reasons))
    serving = asyncio.create_task(server.serve([sock]))
    log.info("worker_listens", port=sock.getsockname()[1])
    try:
        conninfo = await jobs.prepared(settings, stop, log)
        if conninfo is None:
            return
        async with Database(conninfo, pool_max=settings.database.pool_max) as database:
            kinds = compose(settings, database)
            runner = Runner(
                kinds, settings=settings, database=database, clock=clock or SystemClock(), times=times
            )
            log.info("worker_ready", kinds=[job.name for job in kinds])
            async with asyncio.TaskGroup() as group:
                running = group.create_task(runner.run())
                looking = group.create_task(_look_after(settings, database, chores, chore_every_s))
                await stop.wait()
                log.info("worker_stops", running=len(runner.running))
                looking.cancel()
                runner.stop()
                await running
    finally:
        server.should_exit = True
        await serving
        sock.close()


async def _look_after(
    settings: Settings, database: Database, chores: Sequence[Chore], every_s: float
) -> None:
    while True:
        for chore in chores:
            with contextlib.suppress(Unavailable):  # the database is away; next time
                await chore(settings, database)
        await asyncio.sleep(every_s)
