"""What a feature declares so that the worker can run it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.store import Database


@dataclass(frozen=True, slots=True)
class Work:
    """What a job function gets to work with. `attempt` counts from 1."""

    settings: Settings
    database: Database
    clock: Clock
    job_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job.

    `run(work, **arguments)` is called with the arguments that were deferred, which are JSON values. It may be called
    again for the same job (the worker died, or lost the database as it ended), also while a first run that is
    believed dead still goes on: what it does twice must come out as if done once.

    An exception puts the job off and tries it anew, `attempts` times in all, first after `retry_s` seconds and then
    after twice as long each time, at most ten minutes. `at_once` bounds how many of this kind one worker runs; None
    takes worker.concurrency. Kinds do not wait for each other.
    """

    name: str
    run: Callable[..., Awaitable[None]]
    attempts: int = 8
    retry_s: float = 5.0
    at_once: int | None = None

    def put_off_s(self, attempt: int) -> float:
        """Seconds to wait after the failure of `attempt` (from 1)."""
        # A job may be tried for weeks; two to the power of a thousand is more than a number can hold.
        return min(600.0, self.retry_s * 2.0 ** min(attempt - 1, 30))
