"""Something else dies while two people talk: the call goes on, its recording is whole, what was missed catches up."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callsvc.ids import parse_id
from callsvc.store import calls
from callsvc.types import Leg, Track
from tests.support.whole_service import WholeService, whole_service

pytestmark = [pytest.mark.call, pytest.mark.fault, pytest.mark.asyncio(loop_scope="module")]

VANISH_S = 3.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeService]:
    settings = {"CALLSVC_MEDIA__VANISH_AFTER_S": str(VANISH_S)}
    async with whole_service(tmp_path_factory.mktemp("faults"), settings) as service:
        yield service


@pytest.mark.parametrize("part", ["database", "broker", "worker", "web"])
async def test_a_part_is_killed_and_the_call_never_notices(running: WholeService, part: str) -> None:
    async def kill() -> None:
        await running.kill(part)

    placed = await running.call(during=kill)
    measured = placed.measured
    assert measured.caller_unchanged
    assert measured.similarity > 0.8
    # The node closed both lines when one hung up; neither was lost.
    assert {side.notes.left for side in placed.sides.values()} == {"closed"}

    found = await running.books(placed.id)
    assert found.recording.outcome == "complete"
    assert set(found.tracks) == set(Track)
    assert abs(found.length_ms - 1000 * placed.scene.length_s) < 4000
    assert running.whole(placed.id, found)
    async with running.database.transaction() as conn:
        legs = await calls.legs(conn, placed.id)
    assert {leg.leg for leg in legs if leg.joined_at and leg.left_at} == set(Leg)


async def test_a_client_that_vanishes_ends_the_call_and_leaves_it_recorded(running: WholeService) -> None:
    invitation = await running.invite()
    async with running.parties(invitation, 20.0) as parties:
        for one in parties.values():
            one.order("go")
        await asyncio.sleep(3.0)
        os.kill(parties[Leg.CALLER].pid, signal.SIGKILL)
        await parties[Leg.OPERATOR].until("left", VANISH_S + 15)
    call_id = parse_id(invitation.call_id)
    found = await running.books(call_id)
    async with running.database.transaction() as conn:
        legs = {leg.leg: leg for leg in await calls.legs(conn, call_id)}
    assert legs[Leg.CALLER].cause == "vanished"
    assert found.recording.outcome == "complete"
    assert found.length_ms >= 3000
    assert running.whole(call_id, found)


async def test_garbage_on_every_port_harms_neither_the_call_nor_a_part(running: WholeService) -> None:
    parts = ("media", "web", "worker", "broker", "database")
    before = {part: running.pid(part) for part in parts}
    hit: list[int] = []

    async def throw() -> None:
        hit.append(await asyncio.to_thread(_throw_garbage, running))

    placed = await running.call(during=throw)
    assert hit[0] >= 4
    measured = placed.measured
    assert measured.caller_unchanged
    assert measured.similarity > 0.8
    found = await running.books(placed.id)
    assert running.whole(placed.id, found)
    assert {part: running.pid(part) for part in parts} == before


def _throw_garbage(running: WholeService) -> int:
    """Bytes that mean nothing, to every port that the service listens on; how many ports that were."""
    rng = random.Random(7)
    found = {int(str(one["port"])) for one in running.addresses.values() if "port" in one}
    for port in found:
        for start in (
            b"",
            b"GET / HTTP/1.1\r\n",
            b"POST /whip/x HTTP/1.1\r\nContent-Length: 99999\r\n\r\n",
            b"\x10\xff",
        ):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
                    peer.sendall(start + rng.randbytes(3000))
            except OSError:
                pass  # being hung up on is an answer, too
    for port in _udp_ports(running.pid("media")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for length in (0, 1, 11, 12, 20, 200, 1400):
                for first in (0x00, 0x14, 0x80, 0xFF):
                    peer.sendto(
                        (bytes([first]) + rng.randbytes(length))[: max(1, length)], ("127.0.0.1", port)
                    )
        found.add(port)
    return len(found)


def _udp_ports(pid: int) -> set[int]:
    """UDP ports that a process has open, by the kernel's own list."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes}
