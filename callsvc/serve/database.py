"""The embedded PostgreSQL as a part, and what is done when its disk is full."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from callsvc import logs
from callsvc.errors import Unavailable
from callsvc.jobs import prepare
from callsvc.serve.part import Part
from callsvc.store.embedded.ballast import Ballast
from callsvc.store.embedded.cluster import DATABASE, OWNER, PORT, Cluster, Launch

NAME: Final = "database"
GUARD_S: Final = 15.0


class EmbeddedDatabase:
    """The cluster in a data directory. `on_change(part, event, code)` hears of "disk_full" and "disk_low"."""

    def __init__(self, data_dir: Path, on_change: Callable[[str, str, int | None], None]) -> None:
        """Raises `MissingPart` and `ConfigurationError`, having touched nothing, when it could not be run."""
        self.cluster = Cluster(data_dir / "postgres", data_dir / "run")
        self.ballast = Ballast(data_dir / "ballast")
        self._on_change = on_change
        self._log = logs.get("serve")
        self._was_low = False

    @property
    def conninfo(self) -> str:
        return self.cluster.conninfo()

    @property
    def address(self) -> dict[str, str | int]:
        """For run/ports.json; holds no secret."""
        return {"host": str(self.cluster.socket_dir), "port": PORT, "dbname": DATABASE, "user": OWNER}

    def part(self) -> Part:
        return Part(
            NAME,
            launch=self._launch,
            ready=self._ready,
            on_ready=self._on_ready,
            # Fast: ends connections, writes a checkpoint. Then at once: recovers at the next start.
            stop_steps=((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0)),
        )

    async def guard(self) -> None:
        """Lay the ballast down while there is room, and say when there is little."""
        while True:
            laid = await asyncio.to_thread(self.ballast.lay)
            low = not laid and self.ballast.low()
            if low and not self._was_low:
                self._log.error("disk_low", free_bytes=self.ballast.free_bytes())
                self._on_change(NAME, "disk_low", None)
            self._was_low = low
            await asyncio.sleep(GUARD_S)

    async def _launch(self) -> Launch:
        if self.ballast.let_go():
            self._log.error("ballast_let_go", free_bytes=self.ballast.free_bytes())
            self._on_change(NAME, "disk_full", None)
        await asyncio.to_thread(self.cluster.prepare)
        return self.cluster.launch()

    async def _ready(self) -> bool:
        return await asyncio.to_thread(self.cluster.ready)

    async def _on_ready(self) -> None:
        for attempt in range(3):
            try:
                await asyncio.to_thread(self.cluster.ensure_database)
                await prepare(self.conninfo)
            except Unavailable:
                if attempt == 2:
                    raise
                await asyncio.sleep(0.5)
            else:
                return
