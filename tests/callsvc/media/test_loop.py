"""The node's event loop takes together what comes within a millisecond, and is woken for nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from callsvc.media import loop

pytestmark = pytest.mark.media


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


class Counting(loop.Gathering):
    """Counts how often it looked, and how often it waited for more."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def rest(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().rest(seconds)


def run(selector: Counting, ours: socket.socket, theirs: socket.socket, pauses: list[float]) -> list[bytes]:
    async def main() -> list[bytes]:
        running, heard = asyncio.get_running_loop(), []
        for number, pause in enumerate(pauses):
            theirs.send(bytes([number]))
            heard.append(await running.sock_recv(ours, 16))
            await asyncio.sleep(pause)
        return heard

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        return runner.run(main())


def test_a_loop_that_has_much_to_do_looks_once_a_millisecond_and_loses_nothing(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    selector = Counting()
    pauses = [0.0003] * 50
    assert run(selector, *pair, pauses) == [bytes([number]) for number in range(50)]
    assert len(selector.slept) >= 25
    assert all(0 < slept <= loop.GATHER_S for slept in selector.slept)


def test_a_loop_that_has_little_to_do_waits_for_nothing_before_it_looks(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    selector = Counting()
    assert run(selector, *pair, [0.02] * 5) == [bytes([number]) for number in range(5)]
    assert len(selector.slept) <= 10
