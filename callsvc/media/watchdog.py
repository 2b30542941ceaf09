"""Signs of life for systemd: a node that stands still is ended, so that a living one can take calls in its place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

WITHIN_S = 30.0
"""For how long a node may stand still. Telephones have given up by then, and a machine that was put to sleep is back."""

EVERY_S = 5.0


class Watchdog:
    """Tells the supervisor of this process (``sd_notify(3)``) that the event loop turns.

    The unit allows the start as long as it takes, since recordings that a crash left open are sealed in it; from
    :meth:`keep` on :data:`WITHIN_S` holds. Without a supervisor that asks for signs of life nothing is sent.
    """

    def __init__(self) -> None:
        # The address is nobody's business who is started from here.
        self._address = os.environ.pop("NOTIFY_SOCKET", "") if "WATCHDOG_USEC" in os.environ else ""

    async def keep(self) -> None:
        """Give signs of life until cancelled. A supervisor that is away costs nothing."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            say = f"WATCHDOG_USEC={int(WITHIN_S * 1_000_000)}\nWATCHDOG=1"
            while True:
                with contextlib.suppress(OSError):
                    line.sendto(say.encode(), address)
                    say = "WATCHDOG=1"
                await asyncio.sleep(EVERY_S)
