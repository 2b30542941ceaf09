"""Each event reaches the database once and in order, whoever dies in between: broker, consumer or database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiomqtt
import pytest

from callsvc.broker.gate import Credentials
from callsvc.broker.server import running
from callsvc.bus import Ack, Broker, Outbox, Resolve, publish
from callsvc.bus.envelope import Message
from callsvc.events import Consumer
from callsvc.jobs import prepare
from callsvc.shift import queue
from callsvc.store import Database, call_notes, calls, connections, keystrokes, nodes, proofs, recordings
from callsvc.store.embedded.cluster import Cluster
from callsvc.types import Event, EventKind
from tests.support.database import FAST, start, stop
from tests.support.peers import Mosquitto

pytestmark = pytest.mark.call

NODE = "node-1"
AT = "2026-01-01T12:00:00.000Z"
SEEN = {
    "received": 498, "lost": 2, "made_up_ms": 40, "jitter_ms": 7, "buffer_ms": 61,
    "trip_ms": None, "sent_lost_pct": 1, "sent_jitter_ms": 4,
}  # fmt: skip


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    peer = Mosquitto(tmp_path)
    yield peer
    peer.kill()


def message(
    seq: int, kind: str, fields: dict[str, Any], *, call: UUID, prev: int | None = None, acked: int = 0
) -> Message:
    return Message(NODE, seq, seq - 1 if prev is None else prev, acked, AT, call, kind, fields)


def call_events(call: UUID, recording: UUID) -> list[Event]:
    """All that a short call has to tell."""
    proof: dict[str, object] = {
        "strokes": 12, "level_before_db": -31.5, "level_after_db": -61.0, "audible_before_pct": 92.0,
        "audible_after_pct": 1.0, "blocks": 400, "blocks_passed": 0, "model": "m", "model_sha256": "0" * 64,
        "latency_samples": 160, "degraded": False,
    }  # fmt: skip
    sealed: dict[str, object] = {
        "recording": str(recording),
        "head": "ab" * 32,
        "outcome": "complete",
        "sealed_at": AT,
        "tracks": [{"name": "caller.rx", "rate": 8000, "samples": 32_000, "gaps": [[0, 160, "loss"]]}],
    }
    return [
        Event(call, EventKind.LEG_JOINED, {"leg": "caller", "transport": "rtp", "codec": "PCMA"}),
        Event(call, EventKind.LEG_JOINED, {"leg": "operator", "transport": "webrtc", "codec": "opus"}),
        Event(call, EventKind.CALL_STARTED, {"profile": "report"}),
        Event(call, EventKind.RECORDING_STARTED, {"recording": str(recording)}),
        Event(call, EventKind.CALL_PROOF, proof),
        Event(call, EventKind.CALL_STROKES, {"at_ms": [1200, 900], "level_db": [-31, -40]}),
        Event(call, EventKind.CALL_NOTED, {"note": "mask", "at_ms": 1500, "on": True, "reason": "private"}),
        Event(call, EventKind.LEG_CONNECTION, {"leg": "operator", "at_ms": 3000, **SEEN}),
        Event(call, EventKind.LEG_LEFT, {"leg": "caller", "cause": "hangup"}),
        Event(call, EventKind.CALL_ENDED, {"cause": "hangup", "length_ms": 4000}),
        Event(call, EventKind.RECORDING_SEALED, sealed),
    ]


async def jobs_of(database: Database) -> list[tuple[str, dict[str, Any]]]:
    async with database.transaction() as conn:
        cursor = await conn.execute("select task_name, args from procrastinate_jobs order by id")
        return [(row["task_name"], row["args"]) for row in await cursor.fetchall()]


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 90.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def task(work: Any) -> AsyncIterator[None]:
    """A task that runs until the block is left; cancelling it is like killing it between two awaits."""
    running_task = asyncio.create_task(work)
    try:
        yield
    finally:
        running_task.cancel()
        with suppress(asyncio.CancelledError):
            await running_task


async def test_a_call_from_a_trunk_is_known_by_its_line_before_anybody_answers(database: Database) -> None:
    consumer, call = Consumer(database), uuid4()
    fields = {"leg": "caller", "profile": "emergency", "line": "rlc", "transport": "rtp", "codec": "PCMA"}
    await consumer.take(message(1, EventKind.LEG_JOINED, fields, call=call))
    async with database.transaction() as conn:
        row = await calls.get(conn, call)
        assert (row.state, row.profile, row.node) == ("setting_up", "emergency", NODE)
        (waits,) = await queue.waiting(conn, at=datetime.now(UTC))
    assert waits.line == "rlc"


async def test_a_whole_call_is_in_the_books_with_its_jobs(database: Database) -> None:
    consumer, call, recording = Consumer(database), uuid4(), uuid4()
    for n, event in enumerate(call_events(call, recording), start=1):
        ack = await consumer.take(message(n, event.kind, event.fields, call=call))
        assert ack == Ack(NODE, n)
    async with database.transaction() as conn:
        row = await calls.get(conn, call)
        assert (row.state, row.profile, row.cause, row.length_ms, row.node) == (
            "ended", "report", "hangup", 4000, NODE,
        )  # fmt: skip
        assert [(one.at_ms, one.note, one.what) for one in await call_notes.of_call(conn, call)] == [
            (1500, "mask", {"on": True, "reason": "private"})
        ]
        assert [(leg.leg, leg.codec, leg.cause) for leg in await calls.legs(conn, call)] == [
            ("caller", "PCMA", "hangup"),
            ("operator", "opus", None),
        ]
        made = await recordings.get(conn, recording)
        assert (made.state, made.outcome, made.head) == ("sealed", "complete", "ab" * 32)
        (track,) = await recordings.tracks(conn, recording)
        assert (track.name, track.samples) == ("caller.rx", 32_000)
        assert track.gaps == [{"start": 0, "length": 160, "cause": "loss"}]
        proof = await proofs.get(conn, call)
        assert proof is not None
        assert proof.strokes == 12
        assert await keystrokes.of_call(conn, call) == [(900, -40), (1200, -31)]
        (seen,) = await connections.of_call(conn, call)
        assert asdict(seen) == {"leg": "operator", "at_ms": 3000, **SEEN}
    assert await jobs_of(database) == [
        ("archive_recording", {"recording": str(recording)}),
        ("transcribe_call", {"call": str(call)}),
    ]


async def test_an_event_that_comes_again_is_acknowledged_and_changes_nothing(database: Database) -> None:
    consumer, call = Consumer(database), uuid4()
    events = call_events(call, uuid4())
    for n, event in enumerate(events, start=1):
        await consumer.take(message(n, event.kind, event.fields, call=call))
    before = await jobs_of(database)
    for n, event in enumerate(events, start=1):
        assert await consumer.take(message(n, event.kind, event.fields, call=call)) == Ack(NODE, len(events))
    assert await jobs_of(database) == before


async def test_a_seal_that_is_told_of_anew_by_a_restarted_node_makes_no_second_job(
    database: Database,
) -> None:
    consumer, call = Consumer(database), uuid4()
    events = call_events(call, uuid4())
    for n, event in enumerate([*events, events[-1], events[-1]], start=1):
        await consumer.take(message(n, event.kind, event.fields, call=call))
    assert len(await jobs_of(database)) == 2


async def test_the_furthest_head_of_a_running_recording_is_kept(database: Database) -> None:
    consumer, call, recording = Consumer(database), uuid4(), uuid4()
    for n, (many, chain) in enumerate([(10, "aa" * 32), (30, "bb" * 32), (20, "cc" * 32)], start=1):
        fields = {"recording": str(recording), "records": many, "chain": chain}
        assert await consumer.take(message(n, "recording.head", fields, call=call)) == Ack(NODE, n)
    async with database.transaction() as conn:
        cursor = await conn.execute("select state, told_records, told_chain from recordings")
        assert await cursor.fetchall() == [
            {"state": "recording", "told_records": 30, "told_chain": "bb" * 32}
        ]


async def test_an_event_whose_forerunner_is_missing_waits_for_it(database: Database) -> None:
    consumer, call = Consumer(database), uuid4()
    started, ended = {"profile": "report"}, {"cause": "hangup", "length_ms": 1}
    assert await consumer.take(message(10, "call.started", started, call=call, prev=0)) == Ack(NODE, 10)
    assert await consumer.take(message(30, "call.ended", ended, call=call, prev=20)) is None
    assert await consumer.take(message(20, "call.degraded", {"what": "x"}, call=call, prev=10)) == Ack(
        NODE, 20
    )
    assert await consumer.take(message(30, "call.ended", ended, call=call, prev=20)) == Ack(NODE, 30)


async def test_a_database_that_is_younger_than_the_node_begins_where_the_node_stands(
    database: Database,
) -> None:
    consumer, call = Consumer(database), uuid4()
    later = message(500, "call.started", {"profile": "report"}, call=call, prev=499, acked=499)
    assert await consumer.take(later) == Ack(NODE, 500)


async def test_an_event_that_makes_no_sense_is_passed_over_and_holds_up_nothing(database: Database) -> None:
    consumer, call = Consumer(database), uuid4()
    nonsense: list[tuple[str, dict[str, Any]]] = [
        ("call.started", {"profile": "no such line"}),
        ("call.sang", {}),
        ("call.ended", {"cause": "x" * 5000}),
        ("recording.sealed", {"recording": "../../etc", "head": "x", "outcome": "complete", "tracks": []}),
        ("call.proof", {"strokes": -1}),
        ("call.strokes", {"at_ms": [10, 20], "level_db": [-30]}),
        ("leg.joined", {"leg": "caller", "codec": "nul \x00 byte"}),
        ("leg.connection", {"leg": "operator", "at_ms": 10, **SEEN, "lost": -1}),
    ]
    for n, (kind, fields) in enumerate(nonsense, start=1):
        assert await consumer.take(message(n, kind, fields, call=call)) == Ack(NODE, n)
    fields = {"profile": "interview"}
    await consumer.take(message(len(nonsense) + 1, "call.started", fields, call=call))
    async with database.transaction() as conn:
        assert (await calls.get(conn, call)).profile == "interview"


async def test_two_consumers_at_once_take_each_event_once(database: Database) -> None:
    one, two = Consumer(database), Consumer(database)
    call = uuid4()
    for n, event in enumerate(call_events(call, uuid4()), start=1):
        told = message(n, event.kind, event.fields, call=call)
        acks = await asyncio.gather(one.take(told), two.take(told))
        assert Ack(NODE, n) in acks
    assert len(await jobs_of(database)) == 2


async def taken(database: Database, many: int) -> bool:
    async with database.transaction() as conn:
        cursor = await conn.execute("select count(*) as n from calls where state = 'ended'")
        row = await cursor.fetchone()
        return row is not None and row["n"] == many


async def nothing_lost_nothing_twice(database: Database, told: dict[UUID, UUID], outbox: Outbox) -> None:
    """Every call that was told of has ended, with one recording and two jobs."""
    await until(lambda: taken(database, len(told)))

    async def acknowledged() -> bool:
        return len(outbox) == 0

    await until(acknowledged)
    found = await jobs_of(database)
    assert sorted(json.dumps(job) for job in found) == sorted(
        json.dumps(job)
        for call, recording in told.items()
        for job in (
            ("archive_recording", {"recording": str(recording)}),
            ("transcribe_call", {"call": str(call)}),
        )
    )
    async with database.transaction() as conn:
        known = await nodes.progress(conn, NODE, outbox=outbox.id, at=datetime.now(UTC))
        assert known == nodes.Progress(outbox.acked, twin=False)


async def tell(outbox: Outbox, told: dict[UUID, UUID], many: int) -> None:
    for _ in range(many):
        call, recording = uuid4(), uuid4()
        told[call] = recording
        for event in call_events(call, recording):
            outbox.emit(event)
        await asyncio.sleep(0.005)


async def test_calls_that_end_while_the_broker_is_killed_and_started_again_are_all_in_the_books(
    tmp_path: Path, database: Database, mosquitto: Mosquitto
) -> None:
    told = dict[UUID, UUID]()
    outbox = Outbox(tmp_path / "outbox", node=NODE)
    await tell(outbox, told, 10)  # nobody listens yet
    async with (
        task(publish(outbox, mosquitto.broker, again_s=0.5)),
        task(Consumer(database).run(mosquitto.broker)),
    ):
        for _ in range(3):
            mosquitto.start()
            await tell(outbox, told, 8)
            mosquitto.kill()
            await tell(outbox, told, 3)
        mosquitto.start()
        await nothing_lost_nothing_twice(database, told, outbox)


async def test_calls_that_end_while_the_consumer_dies_are_all_in_the_books(
    tmp_path: Path, database: Database, mosquitto: Mosquitto
) -> None:
    told = dict[UUID, UUID]()
    mosquitto.start()
    outbox = Outbox(tmp_path / "outbox", node=NODE)
    async with task(publish(outbox, mosquitto.broker, again_s=0.5)):
        for _ in range(4):
            async with task(Consumer(database).run(mosquitto.broker)):
                await tell(outbox, told, 10)
                await asyncio.sleep(0.1)
            await tell(outbox, told, 3)
        async with task(Consumer(database).run(mosquitto.broker)):
            await nothing_lost_nothing_twice(database, told, outbox)


async def test_calls_that_end_while_the_database_is_down_are_all_in_the_books(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    cluster = Cluster(tmp_path / "data", tmp_path / "run", settings=FAST)
    await asyncio.to_thread(cluster.prepare)
    process = await asyncio.to_thread(start, cluster, tmp_path / "log")
    cluster.ensure_database("calls")
    await prepare(cluster.conninfo("calls"))
    told = dict[UUID, UUID]()
    mosquitto.start()
    outbox = Outbox(tmp_path / "outbox", node=NODE)
    async with (
        Database(cluster.conninfo("calls"), pool_max=4) as database,
        task(publish(outbox, mosquitto.broker, again_s=0.5)),
        task(Consumer(database).run(mosquitto.broker)),
    ):
        await tell(outbox, told, 10)
        await until(lambda: taken(database, 10))
        await asyncio.to_thread(stop, cluster, process)
        await tell(outbox, told, 10)
        assert len(outbox) >= 80
        process = await asyncio.to_thread(start, cluster, tmp_path / "log")
        await nothing_lost_nothing_twice(database, told, outbox)
    await asyncio.to_thread(stop, cluster, process)


async def test_the_embedded_broker_carries_them_too_and_may_be_started_anew(
    tmp_path: Path, database: Database
) -> None:
    told = dict[UUID, UUID]()
    outbox = Outbox(tmp_path / "outbox", node=NODE)
    ports: list[int] = []

    def resolve() -> Broker:
        return Broker("127.0.0.1", ports[-1], "callsvc", "secret")

    resolving: Resolve = resolve
    credentials = Credentials("callsvc", "secret")
    async with running(credentials, port=0) as (_, port):
        ports.append(port)
        async with (
            task(publish(outbox, resolving, again_s=0.5)),
            task(Consumer(database).run(resolving)),
        ):
            await tell(outbox, told, 10)
            async with running(credentials, port=0) as (_, other):
                ports.append(other)
                await tell(outbox, told, 10)
                await nothing_lost_nothing_twice(database, told, outbox)


async def test_garbage_on_the_topics_disturbs_nobody(
    tmp_path: Path, database: Database, mosquitto: Mosquitto
) -> None:
    told = dict[UUID, UUID]()
    mosquitto.start()
    outbox = Outbox(tmp_path / "outbox", node=NODE)
    garbage = [b"", b"{", b"\xff\xfe", b"[]", b'{"v":1}', b'{"v":1,"seq":true}', b"9" * 5000, b"[" * 100_000]
    async with (
        task(publish(outbox, mosquitto.broker, again_s=0.5)),
        task(Consumer(database).run(mosquitto.broker)),
        aiomqtt.Client("127.0.0.1", mosquitto.port) as stranger,
    ):
        for payload in garbage:
            await stranger.publish(f"call/{uuid4()}/call.ended", payload, qos=1)
            await stranger.publish(f"node/{NODE}/ack", payload, qos=1)
        await tell(outbox, told, 5)
        await nothing_lost_nothing_twice(database, told, outbox)
    mosquitto.kill()
