"""The media keys of a keyboard or headset, pressed for a Chromium as a desktop does it: over a session bus of its own (MPRIS)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from tests.support.sip import until

PLAYER = "org.mpris.MediaPlayer2"
CONFIG = """<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""
Key = Literal["PlayPause", "Stop"]


class MediaKeys:
    """A session bus; a browser that is started with `environment` takes these keys from it. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("dbus-daemon"), "dbus-daemon is not installed"
        self._socket = folder / "bus"
        self._config = folder / "bus.conf"
        self._config.write_text(CONFIG.format(socket=self._socket))
        self._bus: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    @property
    def environment(self) -> dict[str, str | float | bool]:
        return {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}

    def __enter__(self) -> MediaKeys:
        self._bus = subprocess.Popen(
            ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={self._config}"],
            stderr=subprocess.DEVNULL,
        )
        until(self._socket.exists, "a session bus")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bus:
            self._bus.terminate()
            self._bus.wait()

    def _ask(self, *words: str) -> str:
        command = ["busctl", f"--address={self.address}", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def _player(self) -> str:
        names = (line.split()[0] for line in self._ask("list", "--no-legend").splitlines())
        return next((name for name in names if name.startswith(PLAYER)), "")

    def press(self, key: Key) -> None:
        """Press a key, once a page plays something: before that the browser has no use for it."""
        player = str(until(self._player, "a browser that takes media keys"))
        self._ask("call", player, f"/{PLAYER.replace('.', '/')}", f"{PLAYER}.Player", key)
