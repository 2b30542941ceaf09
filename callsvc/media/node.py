"""The media node, put together: calls in front, suppressor and recorder beside them, the outbox behind."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audio.feed import Feed
from audio.suppressor import Engine
from callsvc import data_dir, logs
from callsvc.bus.address import broker
from callsvc.bus.editions import follow
from callsvc.bus.outbox import Outbox
from callsvc.bus.publisher import publish
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.errors import ConfigurationError, DataDirBusy, MissingPart
from callsvc.http_door import Door, Server, Turnstile
from callsvc.listening import listen
from callsvc.media import realtime
from callsvc.media.editions import Editions, Kind
from callsvc.media.http import application
from callsvc.media.listened import Listened
from callsvc.media.trunks import Degraded, announce, known, trunks
from callsvc.media.watchdog import Watchdog
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.mask import load_holders
from callsvc.recordings.recorder import Recorder
from callsvc.telephony import announcements, http, ice, token_keys
from callsvc.telephony.line_profiles import Lines
from callsvc.telephony.lines import LinesInForce
from callsvc.telephony.parts import Parts
from callsvc.telephony.plain import Ports
from callsvc.telephony.switchboard import Switchboard
from callsvc.telephony.turn import Turn
from models.suppressor import load as load_weights

log = logs.get("media")


class NodeDoor(Door):
    """Calls share the process with whoever asks: pages that join and command, a supervisor, a scraper."""

    turnstile = Turnstile(rate=200, burst=400)


class Node:
    """One media node from start to end."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._data_dir = data_dir.prepare(settings.data_dir)
        self._lock = _lock(self._data_dir / "run" / "media.lock")
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._public_key: Ed25519PublicKey | None = None
        self._recorder: Recorder | None = None
        self._switchboard: Switchboard | None = None
        self._suppressor: Engine | None = None
        self._lines: Lines | None = None
        self._editions: Editions | None = None
        self._trunks: Degraded = list

    async def run(self) -> None:
        """Until a signal: SIGTERM once lets calls end by themselves, twice (or SIGINT) ends them."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGINT, self._told_to_stop)
        media = self._settings.media
        listening = listen(media.host, media.port, "media.port")
        ice.use_only([media.host])
        with self._engine() as engine:
            self._suppressor = engine
            async with self._telling() as outbox, self._calls(engine, outbox) as switchboard:
                await self._serve(switchboard, listening)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _told_to_stop(self) -> None:
        self._stop.set()
        self._hurry.set()

    def _engine(self) -> Engine:
        network = None
        if self._settings.suppressor.enabled:
            try:
                network = load_weights()
            except Exception as error:  # a call without the suppressor is better than no call
                log.error("suppressor_missing", error=type(error).__name__)
        else:
            log.warning("suppressor_off")
        return Engine(
            network,
            streams=self._settings.media.max_calls,
            comfort=self._settings.suppressor.comfort_noise,
            on_degraded=lambda why: log.error("suppressor_degraded", why=why),
        )

    def _announcements(self) -> announcements.Catalogue:
        directory = self._settings.media.announcements or announcements.PACKAGED
        try:
            found = announcements.load(directory)
        except ConfigurationError as error:
            # Calls are taken without; every page sees that there is nothing to play.
            log.error("announcements_unusable", detail=error.message)
            return {}
        if missing := announcements.unspoken(directory):
            log.warning("announcements_unspoken", missing=missing)
        return found

    @contextlib.asynccontextmanager
    async def _telling(self) -> AsyncIterator[Outbox]:
        outbox = Outbox(self._data_dir / "outbox", node=self._settings.media.node_id, clock=self._clock)
        publishing = asyncio.create_task(publish(outbox, lambda: broker(self._settings)), name="publish")
        publishing.add_done_callback(_log_fault)
        try:
            yield outbox
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            outbox.close()

    @contextlib.asynccontextmanager
    async def _calls(self, engine: Engine, outbox: Outbox) -> AsyncIterator[Switchboard]:
        media = self._settings.media
        recorder = self._recorder = Recorder(
            self._data_dir / "spool",
            key_ring(self._settings),
            node=media.node_id,
            sink=outbox,
            clock=self._clock,
            min_free_mb=media.spool_min_free_mb,
            second_spool=media.second_spool,
            mask_holders=load_holders(media.mask_holders),
        )
        orphans = recorder.start()
        lengths = {
            str(one.call): max((t.samples * 1000 // t.rate_hz for t in one.tracks), default=0)
            for one in orphans
        }
        outbox.end_unfinished(lengths)
        log.info("spool_looked_through", sealed=len(orphans))
        spoken = await asyncio.to_thread(self._announcements)
        feed = Feed(data_dir.captions_socket(self._data_dir))
        feed.start()
        parts = Parts(
            self._clock,
            outbox,
            Listened(recorder, feed),
            engine,
            media.vanish_after_s,
            spoken,
            return_within_s=media.return_within_s,
            away_told_after_s=media.away_told_after_s,
        )
        lines = self._lines = Lines(media.line_profiles, self._data_dir)
        telephone_lines = LinesInForce(known(self._settings))
        editions = self._editions = Editions(
            self._data_dir,
            self._key,
            {
                "line-profiles": Kind(lines.put, settings=media.line_profiles is not None),
                "lines": Kind(telephone_lines.put),
            },
        )
        switchboard = Switchboard(
            parts,
            Ports(media.host, *media.rtp_ports),
            max_calls=media.max_calls,
            keep_raw=media.keep_raw,
            lines=lines,
        )
        self._switchboard = switchboard
        following = asyncio.create_task(
            follow(lambda: broker(self._settings), media.node_id, editions.take, editions.standing),
            name="follow",
        )
        following.add_done_callback(_log_fault)
        try:
            async with switchboard, trunks(self._settings, switchboard, self._clock, telephone_lines) as away:
                self._trunks = away
                yield switchboard
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await asyncio.to_thread(feed.stop)
            await asyncio.to_thread(recorder.stop)

    async def _serve(self, switchboard: Switchboard, listening: socket.socket) -> None:
        media = self._settings.media
        turn = Turn(media.turn_urls, media.turn_secret.get_secret_value())
        routes = http.routes(switchboard, self._key, self._clock, turn, media.node_id)
        app = application(routes, self._reasons, self._degraded, self._in_force)
        server = Server(app, NodeDoor)
        host, port = listening.getsockname()[:2]
        announce(self._data_dir, "media", host, port)
        granted = realtime.claim(["suppressor"])
        realtime.settle()
        log.info("media_listens", host=host, port=port, realtime=granted.realtime, locked=granted.locked)
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
        living = asyncio.create_task(Watchdog().keep(), name="watchdog")
        await self._until_stopped(serving)
        log.info("media_drains", calls=len(switchboard.calls))
        draining = asyncio.create_task(switchboard.drain(), name="drain")
        hurrying = asyncio.create_task(self._hurry.wait(), name="hurry")
        await asyncio.wait({draining, hurrying, serving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurrying):
            task.cancel()
        server.should_exit = True
        await serving
        living.cancel()
        log.info("media_stops")

    async def _until_stopped(self, serving: asyncio.Task[None]) -> None:
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    def _key(self) -> Ed25519PublicKey:
        if self._public_key is None:
            self._public_key = token_keys.public_key(self._data_dir / "keys")
        return self._public_key

    def _reasons(self) -> dict[str, str]:
        """Why no call can be taken now."""
        why: dict[str, str] = {}
        try:
            self._key()
        except MissingPart as error:
            why["token_key"] = error.message
        board = self._switchboard
        if board is None or board.draining:
            why["draining"] = "The node is about to stop."
        elif board.full:
            why["full"] = "The node has as many calls as it may."
        return why

    def _degraded(self) -> list[str]:
        """What calls must do without now."""
        lost = []
        if self._suppressor is None or self._suppressor.degraded:
            lost.append("suppressor")
        if self._recorder is None or self._recorder.alarm:
            lost.append("recording")
        if self._lines and self._lines.fault:
            lost.append("line_profiles")
        if self._editions and self._editions.refused:
            lost.append("in_force")
        return lost + self._trunks()

    def _in_force(self) -> dict[str, dict[str, Any]]:
        """Which version of what was put in force this node goes by."""
        found = self._editions.standing() if self._editions else {}
        return {name: one.fields() for name, one in found.items()}


def _lock(file: Path) -> int:
    """Hold the outbox and the spool for this process alone; the kernel lets go when it ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataDirBusy("Another media node already runs on this data directory.") from None
    return descriptor


def _log_fault(task: asyncio.Task[None]) -> None:
    """Telling others must never end a call: a fault there is written down, and events wait on disk."""
    if not task.cancelled() and (error := task.exception()):
        log.error("publish_failed", error=type(error).__name__)
