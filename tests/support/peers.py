"""Real peers that a test starts and stops: the mosquitto broker."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

from callsvc.bus import Broker

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """Debian's mosquitto on a port of its own; keeps nothing on disk, so that killing it loses all it had."""

    def __init__(self, base: Path) -> None:
        self.port = free_port()
        self._config = base / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None, "mosquitto is not installed (apt-get install mosquitto)"
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < end, "mosquitto does not answer"
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def broker(self) -> Broker:
        return Broker("127.0.0.1", self.port)
