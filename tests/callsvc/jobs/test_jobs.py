"""Jobs are true with the row they serve, run once, are tried again, and outlive their worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callsvc.clock import SystemClock
from callsvc.config import load
from callsvc.errors import NotFound
from callsvc.jobs import Job, Work, defer, queue
from callsvc.jobs.connector import PatientConnector
from callsvc.jobs.runner import Runner, Times
from callsvc.store import Database

pytestmark = pytest.mark.call

FAST = Times(heartbeat_s=0.2, silent_s=1.0, sweep_s=0.2, poll_s=0.2, grace_s=0.5)


@asynccontextmanager
async def running(database: Database, *jobs: Job, **times: Any) -> AsyncIterator[Runner]:
    runner = Runner(
        jobs,
        settings=load(data_dir=Path("unused")),
        database=database,
        clock=SystemClock(),
        times=replace(FAST, **times),
    )
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await task


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


async def becomes(database: Database, number: int | None, state: str) -> None:
    assert number is not None
    while True:
        async with database.transaction() as conn:
            if await queue.state(conn, number) == state:
                return
        await asyncio.sleep(0.02)


async def put(database: Database, name: str, **options: Any) -> int | None:
    async with database.transaction() as conn:
        return await defer(conn, name, **options)


async def test_a_job_runs_with_its_arguments(database: Database) -> None:
    got: list[tuple[int, str]] = []

    async def run(work: Work, *, call_id: str) -> None:
        got.append((work.attempt, call_id))

    async with running(database, Job("greet", run)):
        number = await put(database, "greet", call_id="abc")
        await becomes(database, number, "succeeded")
    assert got == [(1, "abc")]


async def test_a_job_exists_only_if_the_callers_transaction_commits(database: Database) -> None:
    async def fails() -> None:
        async with database.transaction() as conn:
            await defer(conn, "greet")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    async with database.transaction() as conn:
        assert await queue.counts(conn) == {}
        with pytest.raises(NotFound):
            await queue.state(conn, 1)


async def test_a_job_deferred_once_is_not_queued_again_while_it_waits(database: Database) -> None:
    async with database.transaction() as conn:
        assert await defer(conn, "archive", once="call-1") is not None
        assert await defer(conn, "archive", once="call-1") is None
        assert await defer(conn, "archive", once="call-2") is not None
        assert await queue.counts(conn) == {("archive", "todo"): 2}


async def test_a_job_that_fails_is_tried_again_and_then_given_up(database: Database) -> None:
    attempts: list[int] = []

    async def run(work: Work) -> None:
        attempts.append(work.attempt)
        raise ValueError("secret words")

    async with running(database, Job("fails", run, attempts=3, retry_s=0.01)):
        await becomes(database, await put(database, "fails"), "failed")
    assert attempts == [1, 2, 3]


async def test_later_attempts_wait_longer_up_to_ten_minutes() -> None:
    async def run(work: Work) -> None: ...

    job = Job("x", run, retry_s=5)
    assert [job.put_off_s(n) for n in (1, 2, 3, 20, 5000)] == [5, 10, 20, 600, 600]


async def test_kinds_do_not_wait_for_each_other(database: Database) -> None:
    transcribed = asyncio.Event()

    async def demonstrate(work: Work) -> None:
        await transcribed.wait()

    async def transcribe(work: Work) -> None:
        transcribed.set()

    jobs = Job("demonstrate", demonstrate, at_once=1), Job("transcribe", transcribe, at_once=1)
    async with running(database, *jobs):
        demonstration = await put(database, "demonstrate")
        await put(database, "transcribe")
        await becomes(database, demonstration, "succeeded")


async def test_no_more_run_at_once_than_allowed(database: Database) -> None:
    now = most = done = 0

    async def run(work: Work) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        done += 1

    async with running(database, Job("bounded", run, at_once=2)):
        for _ in range(6):
            await put(database, "bounded")
        await until(lambda: done == 6)
    assert most == 2


async def test_a_job_that_does_not_end_in_time_at_a_stop_is_put_back(database: Database) -> None:
    async def run(work: Work) -> None:
        await asyncio.Event().wait()

    async with running(database, Job("endless", run)) as runner:
        number = await put(database, "endless")
        await until(lambda: runner.running)
    await becomes(database, number, "todo")


async def test_a_job_that_ends_in_time_at_a_stop_is_done(database: Database) -> None:
    async def run(work: Work) -> None:
        await asyncio.sleep(0.2)

    async with running(database, Job("short", run), grace_s=30) as runner:
        number = await put(database, "short")
        await until(lambda: runner.running)
    await becomes(database, number, "succeeded")


async def test_a_job_of_a_silent_worker_is_taken_up_by_another(database: Database) -> None:
    done = asyncio.Event()

    async def run(work: Work) -> None:
        assert work.attempt == 2
        done.set()

    number = await put(database, "orphan")
    async with database.transaction() as conn:
        # What a worker that was killed an hour ago leaves behind.
        await conn.execute(
            "with w as (insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')"
            " returning id) update procrastinate_jobs set status = 'doing', worker_id = w.id from w"
        )
    async with running(database, Job("orphan", run)):
        await done.wait()
        await becomes(database, number, "succeeded")


async def test_a_job_that_kills_every_worker_is_given_up(database: Database) -> None:
    async def run(work: Work) -> None:
        raise AssertionError("it must not be run again")

    number = await put(database, "deadly")
    async with database.transaction() as conn:
        await conn.execute("update procrastinate_jobs set status = 'doing', attempts = 2")
    async with running(database, Job("deadly", run, attempts=3)):
        await becomes(database, number, "failed")


async def test_a_job_that_a_live_worker_holds_but_never_got_is_given_back(database: Database) -> None:
    done: list[int] = []

    async def run(work: Work) -> None:
        done.append(work.job_id)

    async with running(database, Job("lost", run, at_once=1), poll_s=0.1) as runner:
        first = await put(database, "lost")
        await becomes(database, first, "succeeded")
        (worker,) = runner._worker_ids
        async with database.transaction() as conn:
            number = await defer(conn, "lost")
            await conn.execute(
                "update procrastinate_jobs set status = 'doing', worker_id = %s where id = %s",
                [worker, number],
            )
        await becomes(database, number, "succeeded")
    assert done == [first, number]


async def test_connections_cut_under_the_worker_lose_nothing_and_it_listens_again(database: Database) -> None:
    done: list[str] = []

    async def run(work: Work, *, what: str) -> None:
        done.append(what)

    async def heard(what: str) -> None:
        """Put it, and others behind it: the library drops a call that comes while it looks, and hears the next."""
        await put(database, "heard", what=what)
        while what not in done:
            await put(database, "heard", what="again")
            await asyncio.sleep(0.2)

    # Polling is too slow to matter: what arrives has been heard.
    async with running(database, Job("heard", run), poll_s=3600):
        await heard("before")
        for cut in range(2):
            async with database.transaction() as conn:
                await conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            await heard(f"during {cut}")
            await heard(f"after {cut}")
    assert [what for what in done if what != "again"] == [
        "before",
        "during 0",
        "after 0",
        "during 1",
        "after 1",
    ]


async def test_what_was_put_into_the_queue_while_nobody_listened_is_found_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    listen = PatientConnector.listen_notify

    async def late(self: PatientConnector, on_notification: Any, channels: Any) -> None:
        began.set()
        await go_on.wait()
        await listen(self, on_notification, channels)

    async def run(work: Work) -> None:
        done.set()

    monkeypatch.setattr(PatientConnector, "listen_notify", late)
    async with running(database, Job("unheard", run), poll_s=3600):
        await began.wait()
        await asyncio.sleep(0.5)  # the first look, which finds nothing
        await put(database, "unheard")
        go_on.set()
        await done.wait()


async def test_jobs_that_ended_long_ago_are_cleared_away(database: Database) -> None:
    from callsvc.jobs import sweeper

    old, new = await put(database, "old"), await put(database, "new")
    async with database.transaction() as conn:
        await conn.execute("update procrastinate_jobs set status = 'succeeded'")
        await conn.execute(
            "update procrastinate_events set at = now() - interval '8 days' where job_id = %s", [old]
        )
        assert await sweeper.clear(conn) == 1
        assert new is not None
        assert await queue.state(conn, new) == "succeeded"
