"""Where the broker is, and who we are to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from callsvc import data_dir
from callsvc.config import Settings
from callsvc.errors import ConfigurationError, Unavailable

SECRET = "mqtt"
"""Name of the embedded broker's password among the data directory's keys."""
PART = "mqtt"
"""Name of the embedded broker in run/ports.json: {"host": ..., "port": ...}."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker to connect to."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False


Resolve = Callable[[], Broker]


def broker(settings: Settings) -> Broker:
    """The broker of the settings, else the embedded one, wherever it listens now.

    Raises `Unavailable` while the embedded one is not running, `ConfigurationError` for an address of another form.
    """
    password = settings.mqtt.password.get_secret_value()
    if settings.mqtt.url:
        parts = urlsplit(settings.mqtt.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigurationError("mqtt.url is no address of the form mqtt://host:port.")
        tls = parts.scheme == "mqtts"
        port = parts.port or (8883 if tls else 1883)
        return Broker(parts.hostname, port, settings.mqtt.user, password, tls)
    found = data_dir.addresses(settings.data_dir).get(PART)
    if not isinstance(found, dict) or "port" not in found:
        raise Unavailable("The embedded broker is not running.")
    host = str(found.get("host", "127.0.0.1"))
    return Broker(
        host, int(found["port"]), settings.mqtt.user, password or data_dir.secret(settings.data_dir, SECRET)
    )
