"""Which ports the parts listen on; a port that is taken is found before anything is started."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from callsvc.errors import ConfigurationError, PortTaken


@dataclass(frozen=True, slots=True)
class Wanted:
    """An address from the settings; `setting` is the name of the port there. Port 0 takes any free one."""

    setting: str
    host: str
    port: int


def choose(wanted: Mapping[str, Wanted]) -> dict[str, int]:
    """A port for each part. Raises `PortTaken` that names port and setting, `ConfigurationError` for an address."""
    held: list[socket.socket] = []
    chosen: dict[str, int] = {}
    try:
        for part, at in wanted.items():
            try:
                # Held until all are chosen, so that no two get the same.
                held.append(socket.create_server((at.host, at.port)))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise PortTaken(f"Port {at.port} ({at.setting}) is taken by another program.") from None
                raise ConfigurationError(
                    f"Nothing can listen on {at.host}, port {at.port} ({at.setting}): {error.strerror}.",
                    hint="Give an address that this computer has, and a port that the user may listen on.",
                ) from None
            chosen[part] = held[-1].getsockname()[1]
    finally:
        for sock in held:
            sock.close()
    return chosen
