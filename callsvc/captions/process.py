"""The captions process: listens for the media node's sound, and writes what it hears into the database."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from uuid import UUID

from audio.feed import HEADER, Kind, unpack
from callsvc import data_dir, logs
from callsvc.captions.board import Board
from callsvc.captions.room import LiveRecogniser, Room
from callsvc.clock import Clock, SystemClock
from callsvc.config import Settings
from callsvc.errors import MissingPart, Unavailable
from callsvc.store import Database, address
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose
from models.recogniser.directory import ModelCard
from models.recogniser.whisper import Whisper

RETRY_S = 5.0


async def run(settings: Settings, clock: Clock | None = None) -> None:
    """Until SIGTERM or SIGINT. Without a model for captions it waits for one; without a database captions are lost."""
    log = logs.get("captions")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    data_dir.prepare(settings.data_dir)
    card = await _wanted(settings, stop)
    conninfo = await _found(settings, stop)
    if card is None or conninfo is None:
        return
    recogniser: LiveRecogniser = await asyncio.to_thread(Whisper, card, live=True)
    log.info("captions_ready", model=card.name)
    async with Database(conninfo, pool_max=2) as database:
        await serve(settings, database, recogniser, stop, clock or SystemClock())


async def serve(
    settings: Settings, database: Database, recogniser: LiveRecogniser, stop: asyncio.Event, clock: Clock
) -> None:
    """Listen until `stop`."""
    board = Board(database, clock)
    room = Room(recogniser, models.languages(settings), board.tell, clock)
    room.start()
    talking: set[asyncio.Task[None]] = set()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await _take(room, reader)
        finally:
            talking.discard(task)
            writer.close()

    path = data_dir.captions_socket(settings.data_dir)
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(listen, path)
    path.chmod(0o600)
    writing = asyncio.create_task(board.run(room))
    try:
        await stop.wait()
    finally:
        server.close()
        writing.cancel()
        for task in list(talking):
            task.cancel()
        await asyncio.gather(writing, *talking, return_exceptions=True)
        path.unlink(missing_ok=True)
        await asyncio.to_thread(room.stop)
        with contextlib.suppress(Unavailable):
            await board.write(room)


async def _take(room: Room, reader: asyncio.StreamReader) -> None:
    """All that one media node tells, until it hangs up; then its calls are over, as far as captions go."""
    calls: set[UUID] = set()
    try:
        while True:
            message, size = unpack(await reader.readexactly(HEADER.size))
            body = await reader.readexactly(size) if size else b""
            if message.kind is Kind.OPEN:
                calls.add(message.call)
            room.take(type(message)(message.kind, message.call, message.track, message.start, body))
            # Decoding has its own thread; taking in must not keep the loop from others for long.
            await asyncio.sleep(0)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        for call in calls:
            room.over(call)


async def _wanted(settings: Settings, stop: asyncio.Event) -> ModelCard | None:
    told = ""
    while not stop.is_set():
        try:
            return await asyncio.to_thread(models.card, settings, Purpose.LIVE)
        except MissingPart as error:
            if error.message != told:
                logs.get("captions").warning("captions_wait_for_model", reason=error.message)
                told = error.message
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_S)
    return None


async def _found(settings: Settings, stop: asyncio.Event) -> str | None:
    while not stop.is_set():
        try:
            return address(settings)
        except Unavailable:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    return None
