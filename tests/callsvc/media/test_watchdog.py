"""Signs of life: what systemd is told, and when nothing is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsvc.media import watchdog

pytestmark = pytest.mark.media


@contextlib.contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(address)
        line.setblocking(False)
        yield line


async def kept(line: socket.socket, wanted: int) -> list[bytes]:
    """The first signs of life that arrive."""
    living = asyncio.create_task(watchdog.Watchdog().keep())
    try:
        return [
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 200), 30) for _ in range(wanted)
        ]
    finally:
        living.cancel()


@pytest.mark.parametrize("abstract", [False, True])
async def test_tells_how_long_it_may_stand_still_and_then_that_it_lives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool
) -> None:
    name = str(tmp_path / "notify")
    monkeypatch.setattr(watchdog, "EVERY_S", 0.01)
    monkeypatch.setenv("WATCHDOG_USEC", "600000000")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
    with listening(f"\0{name}" if abstract else name) as line:
        first, *others = await kept(line, 3)
    assert first == b"WATCHDOG_USEC=30000000\nWATCHDOG=1"
    assert others == [b"WATCHDOG=1"] * 2


async def test_says_the_bound_again_until_somebody_heard_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(watchdog, "EVERY_S", 0.01)
    monkeypatch.setenv("WATCHDOG_USEC", "600000000")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    living = asyncio.create_task(watchdog.Watchdog().keep())
    await asyncio.sleep(0.05)
    with listening(str(tmp_path / "notify")) as line:
        heard = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 200), 30)
        living.cancel()
    assert heard.startswith(b"WATCHDOG_USEC=")


async def test_is_silent_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with listening(str(tmp_path / "notify")) as line:
        await watchdog.Watchdog().keep()
        with pytest.raises(BlockingIOError):
            line.recv(200)
