"""The parties of the demonstration: what came in lies where its timestamp says, and nothing foreign is emptied."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs import PCMA
from audio.rtp import Packet
from callsvc import data_dir
from callsvc.demo import service
from callsvc.demo.figures import unchanged
from callsvc.demo.peer import Task, heard
from callsvc.demo.placing import PartyFailed, party
from callsvc.demo.sound import write
from callsvc.errors import DataDirBusy, UsageError
from callsvc.types import Leg

pytestmark = pytest.mark.call

FRAME = 160


def _packets(first: int, *, lost: tuple[int, ...] = (), count: int = 20) -> list[tuple[float, Packet]]:
    encoder = PCMA.encoder()
    tone = (8000 * np.sin(np.arange(count * FRAME) / 5)).astype(np.int16)
    made = []
    for n in range(count):
        payload = encoder.encode(tone[n * FRAME : (n + 1) * FRAME])
        packet = Packet(8, n, (first + n * FRAME) % (1 << 32), 1, payload, False)
        if n not in lost:
            made.append((100.0 + n * 0.02, packet))
    return made


@given(st.integers(0, (1 << 32) - 1), st.sets(st.integers(1, 19), max_size=8))
def test_each_frame_lies_where_its_timestamp_says_whatever_is_lost_or_late(
    first: int, lost: set[int]
) -> None:
    whole, _ = heard(_packets(first), {8: PCMA}, 8000)
    arrived = _packets(first, lost=tuple(lost))
    found, begins = heard(arrived, {8: PCMA}, 8000)
    for n in range(len(found) // FRAME):
        part = found[n * FRAME : (n + 1) * FRAME]
        expected = np.zeros(FRAME, np.int16) if n in lost else whole[n * FRAME : (n + 1) * FRAME]
        assert np.array_equal(part, expected)
    assert begins == pytest.approx(100.0)


def test_the_fastest_frame_dates_the_beginning() -> None:
    late = [(at + (0.0 if n == 7 else 0.05), packet) for n, (at, packet) in enumerate(_packets(0))]
    assert heard(late, {8: PCMA}, 8000)[1] == pytest.approx(100.0)


def test_nothing_heard_is_an_empty_file() -> None:
    assert len(heard([], {8: PCMA}, 8000)[0]) == 0


@pytest.mark.parametrize(
    ("received", "same"),
    [
        (["x", "a", "b", "c", "y"], True),
        (["a", "b", "c"], True),
        (["a", "a", "b", "c"], True),
        (["a", "c"], False),
        (["a", "x", "b", "c"], False),
        (["b", "a", "c"], False),
        ([], False),
    ],
)
def test_unchanged_means_all_of_it_in_order_with_nothing_between(received: list[str], same: bool) -> None:
    assert unchanged(["a", "b", "c"], received) is same


def test_a_directory_of_an_earlier_demonstration_is_emptied(tmp_path: Path) -> None:
    directory = service.fresh(tmp_path / "data")
    (directory / "old").write_text("x")
    assert [entry.name for entry in service.fresh(directory).iterdir()] == [service.MARK]


def test_a_foreign_directory_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError):
        service.fresh(tmp_path)
    assert (tmp_path / "mine").read_text() == "x"


def test_a_demonstration_that_still_runs_is_not_emptied(tmp_path: Path) -> None:
    directory = data_dir.prepare(service.fresh(tmp_path / "data"))
    held = data_dir.lock(directory)
    try:
        with pytest.raises(DataDirBusy):
            service.fresh(directory)
        assert (directory / "run").is_dir()
    finally:
        os.close(held)


async def test_a_party_that_cannot_join_is_named_and_leaves_no_process(tmp_path: Path) -> None:
    sound = tmp_path / "say.wav"
    write(sound, np.zeros(8000), 8000)
    task = Task(
        "http://127.0.0.1:9/whip/x/caller",
        "t",
        "rtp",
        "PCMA",
        str(sound),
        str(tmp_path / "h"),
        str(tmp_path / "n"),
    )
    async with party(Leg.CALLER, task, tmp_path / "log") as one:
        with pytest.raises(PartyFailed, match="caller"):
            await one.until("ready", 30.0)
        pid = one.pid
    await asyncio.sleep(0)
    assert not Path(f"/proc/{pid}").exists()
    assert "Unavailable" in (tmp_path / "log").read_text()
