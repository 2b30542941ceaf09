"""Asterisk's end of an AudioSocket, byte by byte: what its own driver does, and what it does at its worst."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from uuid import UUID

from callsvc.telephony.asterisk.frames import Kind, Message, Reader, build


class AudioSocketPeer:
    """One connection to us."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._messages = Reader()
        self.heard: list[Message] = []
        self.raw: list[bytes] = []
        """What each reading brought."""

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1", *, buffer: int = 0) -> AudioSocketPeer:
        wire = socket.socket()
        if buffer:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, (host, port))
        return cls(*await asyncio.open_connection(sock=wire, limit=buffer or 2**16))

    async def introduce(self, identity: UUID) -> None:
        await self.send(build(Kind.ID, identity.bytes))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def sound(self, payload: bytes, kind: Kind = Kind.SOUND_16K) -> None:
        await self.send(build(kind, payload))

    async def hear(self, messages: int, timeout_s: float = 30.0) -> list[Message]:
        """Wait until so many messages have come in all."""
        async with asyncio.timeout(timeout_s):
            while len(self.heard) < messages:
                if not await self.read():
                    raise AssertionError(f"the node closed after {len(self.heard)} messages")
        return self.heard

    async def read(self) -> bool:
        """Read once; False at the end."""
        try:
            data = await self._reader.read(65_536)
        except ConnectionError:
            return False
        self.raw.append(data)
        self.heard += self._messages.feed(data)
        return bool(data)

    async def until_closed(self, timeout_s: float = 30.0) -> list[Message]:
        """Read to the end."""
        async with asyncio.timeout(timeout_s):
            while await self.read():
                pass
        return self.heard

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def abort(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()
