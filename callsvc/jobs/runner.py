"""Takes jobs from the queue and runs them, each kind beside the others, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as QueuedJob
from prometheus_client import Counter, Gauge, Histogram

from callsvc import logs
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.errors import Unavailable
from callsvc.jobs import queue, sweeper
from callsvc.jobs.connector import PatientConnector
from callsvc.jobs.job import Job, Work
from callsvc.store import Database

CLEAR_EVERY: Final = 720  # sweeps: an hour

ENDED = Counter("callsvc_jobs_ended", "Runs of jobs that ended", ["kind", "outcome"])
SECONDS = Histogram(
    "callsvc_job_seconds", "How long a run of a job took", ["kind"], buckets=(0.1, 1, 10, 60, 600)
)
WAITING = Gauge("callsvc_jobs", "Jobs in the queue", ["kind", "state"])


@dataclass(frozen=True, slots=True)
class Times:
    """How often and how long, in seconds. A worker counts as dead after `silent_s` without a heartbeat."""

    heartbeat_s: float = 5.0
    silent_s: float = 20.0
    sweep_s: float = 5.0
    poll_s: float = 5.0
    grace_s: float = 20.0


TIMES: Final = Times()


class PutOff(BaseRetryStrategy):
    """When a job that failed is tried again."""

    def __init__(self, job: Job, clock: Clock) -> None:
        self._job = job
        self._clock = clock

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        now = self._clock.utc_now()
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_at=now)  # the worker is stopping; another takes it
        attempt = job.attempts + 1
        if attempt >= self._job.attempts:
            return None
        return RetryDecision(retry_at=now + timedelta(seconds=self._job.put_off_s(attempt)))


class Runner:
    """Runs `jobs` from the queue in `database`."""

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        settings: Settings,
        database: Database,
        clock: Clock,
        times: Times = TIMES,
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._settings = settings
        self._database = database
        self._clock = clock
        self._times = times
        self._log = logs.get("jobs")
        self._connector = PatientConnector(database.pool)
        self._running: set[int] = set()
        self._worker_ids: set[int] = set()
        self._stop = asyncio.Event()

    @property
    def running(self) -> frozenset[int]:
        """Numbers of the jobs that run now."""
        return frozenset(self._running)

    @property
    def away(self) -> bool:
        """Whether the database is away, as far as the queue has noticed."""
        return self._connector.away

    def stop(self) -> None:
        """Take no more jobs, let those that run end, put back those that do not end in time."""
        self._stop.set()
        self._connector.give_up.set()

    async def run(self) -> None:
        """Until `stop`."""
        app = App(connector=self._connector)
        for job in self._jobs.values():
            app.task(name=job.name, queue=job.name, pass_context=True, retry=PutOff(job, self._clock))(
                self._function(job)
            )
        async with app.open_async():
            workers = [asyncio.create_task(self._work(app, job)) for job in self._jobs.values()]
            sweeping = asyncio.create_task(self._sweep())
            await self._stop.wait()
            for task in (*workers, sweeping):
                task.cancel()
            await asyncio.gather(*workers, sweeping, return_exceptions=True)

    def _function(self, job: Job) -> Callable[..., Coroutine[Any, Any, None]]:
        async def run(context: JobContext, **arguments: Any) -> None:
            number = context.job.id
            assert number is not None
            work = Work(self._settings, self._database, self._clock, number, context.job.attempts + 1)
            log = self._log.bind(job=number, kind=job.name, attempt=work.attempt)
            began = self._clock.monotonic()
            self._running.add(number)
            if context.job.worker_id is not None:
                self._worker_ids.add(context.job.worker_id)
            log.info("job_started")
            outcome = "failed"
            try:
                await job.run(work, **arguments)
                outcome = "done"
            except asyncio.CancelledError:
                outcome = "put_back"
                raise
            except Exception as error:
                # What it says may be about somebody; its kind and place are not.
                log.error("job_failed", error=type(error).__name__, where=_where(error))
                raise
            finally:
                self._running.discard(number)
                ENDED.labels(job.name, outcome).inc()
                SECONDS.labels(job.name).observe(self._clock.monotonic() - began)
                log.info("job_ended", outcome=outcome)

        return run

    async def _work(self, app: App, job: Job) -> None:
        """One kind of job; begins anew when the library gives up."""
        while not self._stop.is_set():
            try:
                await app.run_worker_async(
                    queues=[job.name],
                    name=job.name,
                    concurrency=job.at_once or self._settings.worker.concurrency,
                    fetch_job_polling_interval=self._times.poll_s,
                    abort_job_polling_interval=self._times.poll_s,
                    shutdown_graceful_timeout=self._times.grace_s,
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._times.heartbeat_s,
                    stalled_worker_timeout=self._times.silent_s,
                )
            except (ConnectorException, psycopg.Error) as error:
                if not self._stop.is_set():
                    self._log.warning("worker_restarts", kind=job.name, error=type(error).__name__)
                    await asyncio.sleep(1)

    async def _sweep(self) -> None:
        before: set[int] = set()
        sweeps = 0
        while True:
            await asyncio.sleep(self._times.sweep_s)
            try:
                async with self._database.transaction() as conn:
                    await sweeper.give_back(conn, self._jobs, silent_s=self._times.silent_s)
                    before = await self._sweep_own(conn, before)
                    if sweeps % CLEAR_EVERY == 0:
                        await sweeper.clear(conn)
                    for (kind, state), count in (await queue.counts(conn)).items():
                        WAITING.labels(kind, state).set(count)
                sweeps += 1
            except Unavailable:
                before = set()

    async def _sweep_own(self, conn: Any, before: set[int]) -> set[int]:
        """Jobs that our workers hold and do not run; given back when they were so at the last sweep too."""
        cursor = await conn.execute(
            "select id from procrastinate_jobs where status = 'doing' and worker_id = any(%s)",
            [list(self._worker_ids)],
        )
        idle = {row["id"] for row in await cursor.fetchall()} - self._running
        if lost := idle & before:
            held = idle - lost | self._running
            await sweeper.give_back_own(conn, self._jobs, list(self._worker_ids), held)
        return idle


def _where(error: BaseException) -> str:
    """The innermost place of ours that the error came from: file and line."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if str(name).split(".")[0] in ("callsvc", "models", "audio"):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
