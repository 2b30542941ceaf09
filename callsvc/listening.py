"""A socket to listen on, or an error that names the setting to be changed."""

from __future__ import annotations

import errno
import socket

from callsvc.errors import ConfigurationError, PortTaken


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A bound socket; port 0 takes any free one. `setting` is the name of the port in the settings.

    Raises `PortTaken`, and `ConfigurationError` for an address that this computer does not have.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                "Port {port} ({setting}) is taken by another program.", port=port, setting=setting
            ) from None
        raise ConfigurationError(
            "Nothing can listen on {host}, port {port} ({setting}): {why}.",
            hint="Give an address that this computer has, and a port that the user may listen on.",
            host=host,
            port=port,
            setting=setting,
            why=error,
        ) from None
