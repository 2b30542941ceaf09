"""The outbox keeps what it was given until it is acknowledged, whatever happens to the process or the disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from callsvc.bus import Outbox, envelope
from callsvc.clock import FixedClock
from callsvc.types import Event, EventKind
from tests.support.house import ROOT

pytestmark = pytest.mark.call

CALL = UUID("00000000-0000-4000-8000-000000000001")
EARLY = datetime(1970, 1, 1, tzinfo=UTC)


def event(n: int = 0, kind: EventKind = EventKind.CALL_DEGRADED) -> Event:
    return Event(CALL, kind, {"what": str(n)})


def opened(base: Path, **more: int) -> Outbox:
    return Outbox(base / "outbox", node="node-1", clock=FixedClock(EARLY), **more)


def test_events_are_numbered_upwards_and_each_names_the_one_before(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    for n in range(5):
        outbox.emit(event(n))
    waiting = outbox.window(10)
    assert [r["fields"]["what"] for r in waiting] == list("01234")
    assert [r["prev"] for r in waiting[1:]] == [r["seq"] for r in waiting[:-1]]
    assert waiting[0]["prev"] == outbox.acked == 0
    assert all(r["at"] == "1970-01-01T00:00:00.000Z" for r in waiting)


def test_what_was_not_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    for n in range(2500):
        outbox.emit(event(n))
    waiting = outbox.window(2500)
    assert outbox.ack(waiting[1699]["seq"])
    outbox.close()
    again = opened(tmp_path)
    assert again.window(2500) == waiting[1700:]
    assert again.acked == waiting[1699]["seq"]
    again.emit(event(2500))
    assert again.window(2500)[-1]["seq"] > waiting[-1]["seq"]
    assert again.window(2500)[-1]["prev"] == waiting[-1]["seq"]


def test_a_number_is_never_used_twice_even_when_all_events_are_gone(tmp_path: Path) -> None:
    used: list[int] = []
    for _ in range(5):
        outbox = opened(tmp_path)
        for n in range(3):
            outbox.emit(event(n))
        used += [r["seq"] for r in outbox.window(10)]
        outbox.ack(used[-1])
        if len(used) % 2:
            outbox.flush()  # sometimes it is closed well, sometimes it dies
    assert used == sorted(set(used))


def test_a_lost_directory_does_not_bring_old_numbers_back(tmp_path: Path) -> None:
    clock = FixedClock()
    first = Outbox(tmp_path / "one", node="node-1", clock=clock)
    for n in range(100):
        first.emit(event(n))
    clock.advance(60)
    second = Outbox(tmp_path / "two", node="node-1", clock=clock)
    second.emit(event())
    assert second.window(1)[0]["seq"] > first.window(100)[-1]["seq"]


def test_an_outbox_keeps_its_name_and_heeds_no_acknowledgement_of_another(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    other = Outbox(tmp_path / "other", node="node-1", clock=FixedClock(EARLY))
    assert outbox.id != other.id
    outbox.close()
    assert opened(tmp_path).id == outbox.id
    assert envelope.load_ack(envelope.dump_ack(7, outbox.id), outbox.id) == 7
    assert envelope.load_ack(envelope.dump_ack(7, other.id), outbox.id) is None
    assert envelope.load_ack(b'{"seq": 7}', outbox.id) == 7
    assert envelope.load_ack(b"[7]", outbox.id) is None


def test_acknowledged_events_leave_the_disk(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    for n in range(3000):
        outbox.emit(event(n))
    assert len(list((tmp_path / "outbox").glob("events.*"))) == 3
    outbox.ack(outbox.window(3000)[-1]["seq"])
    assert list((tmp_path / "outbox").glob("events.*")) == []
    outbox.emit(event(3000))
    outbox.close()
    assert [r["fields"]["what"] for r in opened(tmp_path).window(10)] == ["3000"]


def test_an_acknowledgement_of_what_was_never_sent_is_ignored(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.emit(event())
    assert not outbox.ack(outbox.window(1)[0]["seq"] + 1)
    assert not outbox.ack(0)
    assert len(outbox) == 1


@pytest.mark.parametrize("torn", [b"", b'{"seq": 99, "fie', b"\x00" * 700, b'{"seq": "x"}\n\xff\xfe'])
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, torn: bytes) -> None:
    outbox = opened(tmp_path)
    for n in range(10):
        outbox.emit(event(n))
    outbox.close()
    (file,) = (tmp_path / "outbox").glob("events.*")
    file.write_bytes(file.read_bytes() + torn)
    again = opened(tmp_path)
    assert [r["fields"]["what"] for r in again.window(20)] == list("0123456789")
    again.emit(event(10))
    again.close()
    assert [r["fields"]["what"] for r in opened(tmp_path).window(20)][-1] == "10"


def test_a_full_outbox_refuses_what_goes_on_and_keeps_what_must_be_known(tmp_path: Path) -> None:
    outbox = opened(tmp_path, bound=40)
    for n in range(60):
        outbox.emit(event(n))
    assert len(outbox) == 40
    outbox.emit(event(60, EventKind.RECORDING_SEALED))
    outbox.emit(event(61, EventKind.CALL_ENDED))
    assert [r["kind"] for r in outbox.window(100)[-2:]] == ["recording.sealed", "call.ended"]
    for n in range(100):
        outbox.emit(event(n, EventKind.RECORDING_SEALED))
    assert len(outbox) == 50
    waiting = outbox.window(100)
    assert [r["prev"] for r in waiting[1:]] == [r["seq"] for r in waiting[:-1]]


def test_heads_of_running_recordings_never_crowd_out_the_rest(tmp_path: Path) -> None:
    outbox = opened(tmp_path, bound=40)
    for n in range(100):
        outbox.emit(event(n, EventKind.RECORDING_HEAD))
    assert len(outbox) == 20
    outbox.emit(event(0))
    assert len(outbox) == 21


def test_an_outbox_whose_directory_is_gone_goes_on_in_memory_and_writes_when_it_is_back(
    tmp_path: Path,
) -> None:
    outbox = opened(tmp_path)
    outbox.emit(event(0))
    outbox.ack(outbox.window(1)[0]["seq"])
    directory = tmp_path / "outbox"
    directory.rename(tmp_path / "away")
    directory.write_text("in the way")
    outbox.emit(event(1))
    outbox.emit(event(2))
    assert len(outbox) == 2
    directory.unlink()
    (tmp_path / "away").rename(directory)
    outbox.emit(event(3))
    outbox.close()
    assert [r["fields"]["what"] for r in opened(tmp_path).window(10)] == ["1", "2", "3"]


def test_calls_that_died_with_the_node_are_ended_by_the_next_start(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    gone, done = uuid4(), uuid4()
    for call in (gone, done):
        outbox.emit(Event(call, EventKind.LEG_JOINED, {"leg": "caller"}))
        outbox.emit(Event(call, EventKind.CALL_STARTED, {"profile": "report"}))
    outbox.emit(Event(done, EventKind.CALL_ENDED, {"cause": "hangup", "length_ms": 5}))
    again = opened(tmp_path)
    assert again.unfinished == {str(gone)}
    again.end_unfinished({str(gone): 4200})
    last = again.window(100)[-1]
    assert (last["call"], last["kind"]) == (str(gone), "call.ended")
    assert last["fields"] == {"cause": "failure", "length_ms": 4200}
    assert opened(tmp_path).unfinished == frozenset()


WRITER = """
import sys
from pathlib import Path
from uuid import UUID
from callsvc.bus import Outbox
from callsvc.types import Event, EventKind
outbox = Outbox(Path(sys.argv[1]), node="node-1")
n = int(sys.argv[2])
while True:
    outbox.emit(Event(UUID(int=1, version=4), EventKind.CALL_DEGRADED, {"what": str(n)}))
    print(n, flush=True)
    n += 1
"""


def test_what_was_emitted_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    rng = random.Random(3)
    n = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "outbox", str(n)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(rng.randint(1, 400)):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        found = [int(r["fields"]["what"]) for r in Outbox(tmp_path / "outbox", node="node-1").window(100_000)]
        assert found == list(range(len(found)))
        assert not rest or len(found) > int(rest[-1])
        n = len(found)
    assert n > 5
