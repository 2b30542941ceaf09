"""Whether a part answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

Probe = Callable[[], Awaitable[bool]]
TIMEOUT_S: Final = 5.0


def http(host: str, port: int, path: str) -> Probe:
    """A probe that asks over HTTP and is content with 200."""

    async def ask() -> bool:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        status = await _exchange(host, port, request.encode())
        return status.split(b" ")[1:2] == [b"200"]

    return ask


def tcp(host: str, port: int) -> Probe:
    """A probe that is content when a connection is taken."""

    async def ask() -> bool:
        return await _exchange(host, port, b"") is not None

    return ask


async def _exchange(host: str, port: int, request: bytes) -> bytes:
    """The first line of the answer; empty when nothing was asked. Raises nothing but `Silent`."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                if not request:
                    return b""
                writer.write(request)
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise Silent from error


class Silent(Exception):
    """Nothing answers there."""


async def answers(probe: Probe) -> bool:
    """What the probe says; False when nothing answers."""
    try:
        return await probe()
    except Silent:
        return False
