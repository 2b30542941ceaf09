"""Gives back the jobs of workers that died, and clears away what has been done long since.

A worker that is killed leaves its jobs marked as being done, for ever. Its heartbeat stops; when that is old enough
its jobs go back into the queue, or count as failed when they have used up their attempts: a job that kills every
worker that takes it must not go on doing so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callsvc import logs
from callsvc.jobs.job import Job
from callsvc.store import Connection

KEPT_DAYS: Final = 7

# A job without a worker, or whose worker is silent. After a start of the database the workers get time to be heard.
_STALLED: Final = """
    select j.id, j.task_name, j.attempts from procrastinate_jobs j
    left join procrastinate_workers w on w.id = j.worker_id
    where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %(silent)s))
    and pg_postmaster_start_time() < now() - make_interval(secs => %(silent)s)
    for update of j skip locked
"""


async def give_back(conn: Connection, jobs: Mapping[str, Job], *, silent_s: float) -> list[int]:
    """Put back the jobs of workers that have been silent for `silent_s` seconds; their numbers."""
    cursor = await conn.execute(_STALLED, {"silent": silent_s})
    return await _requeue(conn, await cursor.fetchall(), jobs)


async def give_back_own(
    conn: Connection, jobs: Mapping[str, Job], worker_ids: list[int], running: set[int]
) -> list[int]:
    """Put back jobs that a live worker holds but does not run: the answer to its fetch was lost on the way.

    `running` are the jobs that it runs, and those that it may have fetched a moment ago.
    """
    cursor = await conn.execute(
        "select id, task_name, attempts from procrastinate_jobs where status = 'doing'"
        " and worker_id = any(%s) and not id = any(%s) for update skip locked",
        [worker_ids, list(running)],
    )
    return await _requeue(conn, await cursor.fetchall(), jobs)


async def _requeue(conn: Connection, rows: list[dict[str, object]], jobs: Mapping[str, Job]) -> list[int]:
    log = logs.get("jobs")
    for row in rows:
        job = jobs.get(str(row["task_name"]))
        attempts = int(str(row["attempts"]))
        if job is not None and attempts + 1 >= job.attempts:
            await conn.execute("select procrastinate_finish_job_v1(%s, 'failed', false)", [row["id"]])
            log.error("job_given_up", job=row["id"], kind=row["task_name"], attempts=attempts + 1)
        else:
            await conn.execute("select procrastinate_retry_job_v2(%s, now(), null, null, null)", [row["id"]])
            log.warning("job_taken_back", job=row["id"], kind=row["task_name"], attempts=attempts + 1)
    return [int(str(row["id"])) for row in rows]


async def clear(conn: Connection, *, days: int = KEPT_DAYS) -> int:
    """Remove jobs that ended more than `days` ago; how many."""
    cursor = await conn.execute(
        "delete from procrastinate_jobs j where status not in ('todo', 'doing') and"
        " (select max(at) from procrastinate_events e where e.job_id = j.id) < now() - make_interval(days => %s)",
        [days],
    )
    return cursor.rowcount
