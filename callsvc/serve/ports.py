"""Which ports the parts listen on; a port that is taken is found before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from callsvc.listening import listen


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
            # Held until all are chosen, so that no two get the same.
            held.append(listen(at.host, at.port, at.setting))
            chosen[part] = held[-1].getsockname()[1]
    finally:
        for sock in held:
            sock.close()
    return chosen
