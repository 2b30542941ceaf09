"""Put jobs into the queue, and ask what became of them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Literal, cast

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from callsvc.errors import NotFound
from callsvc.store import Connection

JobState = Literal["todo", "doing", "succeeded", "failed", "cancelled", "aborted"]


@cache
def _app() -> App:
    # Never opened: it only writes the row, over the caller's connection.
    return App(connector=PsycopgConnector())


async def defer(
    conn: Connection,
    name: str,
    *,
    once: str | None = None,
    one_at_a_time: str | None = None,
    at: datetime | None = None,
    priority: int = 0,
    **arguments: Any,
) -> int | None:
    """Add a job to the caller's transaction: it exists if and only if that commits. Its number.

    `once`: no second job with the same text waits in the queue at the same time; None is returned when one does.
    `one_at_a_time`: jobs with the same text are never run side by side. `at`: not before. Higher `priority` first.
    """
    deferrer = _app().configure_task(
        name,
        queue=name,
        queueing_lock=once,
        lock=one_at_a_time,
        schedule_at=at,
        priority=priority,
        connection=conn,
    )
    try:
        async with conn.transaction():
            return await deferrer.defer_async(**arguments)
    except AlreadyEnqueued:
        return None


async def hurry(conn: Connection, name: str, once: str, priority: int) -> None:
    """Have the job that waits under `once` overtake those of a lower priority; one that has a higher one keeps it."""
    await conn.execute(
        "update procrastinate_jobs set priority = greatest(priority, %s), scheduled_at = null"
        " where task_name = %s and queueing_lock = %s and status = 'todo'",
        [priority, name, once],
    )


async def priority(conn: Connection, job_id: int) -> int:
    """The priority of a job; 0 for one that is not there."""
    cursor = await conn.execute("select priority from procrastinate_jobs where id = %s", [job_id])
    row = await cursor.fetchone()
    return 0 if row is None else int(row["priority"])


async def overtaken(conn: Connection, job_id: int) -> bool:
    """Whether a job of the same kind with a higher priority could run now."""
    cursor = await conn.execute(
        "select exists(select 1 from procrastinate_jobs mine join procrastinate_jobs other"
        " on other.task_name = mine.task_name and other.priority > mine.priority and other.status = 'todo'"
        " and (other.scheduled_at is null or other.scheduled_at <= now()) where mine.id = %s) as yes",
        [job_id],
    )
    row = await cursor.fetchone()
    return row is not None and bool(row["yes"])


async def state(conn: Connection, job_id: int) -> JobState:
    """Raises `NotFound`; jobs that are done are kept for a week."""
    cursor = await conn.execute("select status::text from procrastinate_jobs where id = %s", [job_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no such job.")
    return cast(JobState, row["status"])


async def oldest(conn: Connection) -> datetime | None:
    """Since when the job has waited that could have been run for the longest; None when none waits."""
    cursor = await conn.execute(
        "select min(greatest(e.at, j.scheduled_at)) as at from procrastinate_jobs j"
        " join procrastinate_events e on e.job_id = j.id and e.type = 'deferred'"
        " where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now())"
    )
    row = await cursor.fetchone()
    return None if row is None else row["at"]


async def counts(conn: Connection) -> dict[tuple[str, JobState], int]:
    """How many jobs of each kind are in each state."""
    cursor = await conn.execute(
        "select task_name, status::text, count(*) from procrastinate_jobs group by task_name, status"
    )
    return {
        (row["task_name"], cast(JobState, row["status"])): row["count"] for row in await cursor.fetchall()
    }
